from collections.abc import Sequence

from cfnlint.template import Template

class RuleMatch:
    def __init__(self, path: Sequence[str | int], message: str) -> None: ...

class CloudFormationLintRule:
    id: str
    shortdesc: str
    description: str
    source_url: str
    tags: list[str]
    def match(self, cfn: Template) -> list[RuleMatch]: ...
