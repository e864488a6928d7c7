"""Whether everything that a cluster needs to talk to can be reached, proved from templates."""

from __future__ import annotations

from pcs_constructs.analysis.reach.flows import Flow
from pcs_constructs.analysis.reach.judgement import judge
from pcs_constructs.analysis.reach.listing import as_data, as_mermaid, as_text
from pcs_constructs.analysis.reach.proof import Location, Verdict

__all__ = ["Flow", "Location", "Verdict", "as_data", "as_mermaid", "as_text", "judge"]
