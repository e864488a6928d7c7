from typing import Any

class Template:
    template: dict[str, Any]
    filename: str | None
