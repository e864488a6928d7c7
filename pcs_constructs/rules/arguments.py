"""Pages of the codes for arguments that are refused before there are facts to judge."""

from __future__ import annotations

from pcs_constructs.rules.rule import page


@page("PCS001")
def lists_are_lists() -> None:
    """A list is a list of known length, not a string and not one token for all.

    Python would take the letters of a string for the items, and a token hides how many there are.
    The items themselves may be tokens.
    """


@page("PCS002")
def durations_and_sizes_are_known() -> None:
    """A duration or a size is known at synthesis, in the unit that the service counts in.

    A token cannot be converted between units, and a fraction of the unit would be dropped.
    """


@page("PCS003")
def arguments_have_their_types() -> None:
    """An argument is of the type that its annotation says.

    Everything here is typed, so an editor or a type checker tells first. What comes as far as this
    would otherwise fail in the CDK, in its words, with the construct half made.
    """


@page("PCS004")
def items_of_lists_are_single_names() -> None:
    """The items of a list that Slurm gets as one text are single names.

    Slurm separates them by commas and ends a setting at a blank and a line at `#`, so such an item
    would become two, or take the rest of the line with it.

    Source: `slurm.conf`.
    """
