"""What deploying a template over another does to clusters, node groups and queues."""

from __future__ import annotations

from pcs_constructs.analysis.diff.change import Change, Effect, Reason, Refusal
from pcs_constructs.analysis.diff.effects import compare
from pcs_constructs.analysis.diff.listing import as_data, as_text

__all__ = ["Change", "Effect", "Reason", "Refusal", "as_data", "as_text", "compare"]
