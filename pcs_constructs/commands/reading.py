"""The templates that a command is given, with a word about what is odd in them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pcs_constructs.templates import template
from pcs_constructs.templates.printable import inert

if TYPE_CHECKING:
    from argparse import Namespace


def templates(namespace: Namespace, *paths: str) -> list[template.Template]:
    """Read the templates that a command is given.

    A file of a directory that cannot be read is told, and the command goes on with the others; in
    the end it exits with 2.

    Raises:
        TemplateError: A file that is named cannot be read, or none is there.
    """
    unread: list[str] = []
    found = template.read(*paths, unread=unread)
    namespace.failed = namespace.failed or bool(unread)
    told = [*unread]
    for one in found:
        told += [
            f"{one.file or one.name}: {key} is there twice, and the last one counts"
            for key in (one.document.repeated if one.document else ())
        ]
    for line in told:
        print(inert(line), file=sys.stderr)
    return found
