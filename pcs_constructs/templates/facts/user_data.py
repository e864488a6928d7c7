"""What user data shows: a MIME message, as far as it is known."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.facts.evidence import Evidence
from pcs_constructs.templates.values import sketch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.resolved import Path, ResolvedResource

_PLACEHOLDER = "${?}"
_WITHOUT_PARTS = {
    "StartBoundaryNotFoundDefect": "has no line with its boundary",
    "NoBoundaryInMultipartDefect": "names no boundary in its Content-Type",
}
# What always comes along with those.
_FOLLOWING = ("MultipartInvariantViolationDefect",)


def user_data_evidence(resource: ResolvedResource, path: Path) -> Iterator[Evidence]:
    """What the user data of a launch template shows."""
    value = resource.get(*path)
    if value is None:
        return
    encoded, text = _decoded(value)
    if text is None:
        return
    facts = rules.UserDataFacts(bytes=len(text.replace(_PLACEHOLDER, "").encode()), encoded=encoded)
    if encoded:
        facts = _read(text)
    yield Evidence(facts=facts, resource=resource, locations={"user_data": path})


def _decoded(value: Any) -> tuple[bool, str | None]:
    """Whether it is encoded, and its text with placeholders; no text where it is not known."""
    match value:
        case {"Fn::Base64": inner}:
            text = sketch(inner)
            return True, None if text == _PLACEHOLDER else text
        case str():
            try:
                return True, base64.b64decode(value, validate=True).decode()
            except (binascii.Error, ValueError):
                return False, value
        case {"Fn::Join": ["", [*_]]}:
            # Something is put together that is no function of Base64: an imported value may be.
            text = sketch(value)
            known = (text or "").replace(_PLACEHOLDER, "")
            return ("\n" not in known, text if "\n" in known else None)
        case _:
            return True, None


def _read(text: str) -> rules.UserDataFacts:
    # Imported here: it costs more than everything else, and not every template has user data.
    from email import message_from_string

    size = len(text.replace(_PLACEHOLDER, "").encode())
    message = message_from_string(text)
    open_type = _has_open_type(text)
    if message.get_content_maintype() != "multipart":
        return rules.UserDataFacts(bytes=size, parts=_alone(text), multipart=open_type)
    kinds = {type(defect).__name__ for defect in message.defects}
    if open_type or _may_have_boundary(text, message.get_boundary("")):
        kinds -= {*_WITHOUT_PARTS, "CloseBoundaryNotFoundDefect"}
    without_parts = tuple(words for kind, words in _WITHOUT_PARTS.items() if kind in kinds)
    defects = [_words(kind) for kind in kinds - {*_WITHOUT_PARTS, *_FOLLOWING}]
    unclosed = "CloseBoundaryNotFoundDefect" in kinds
    parts: list[tuple[str, str | Unknown]] = []
    for inner in message.walk():
        if inner is message or inner.is_multipart():
            continue
        if unclosed and not str(inner.get_payload()).strip() and not inner.keys():
            continue  # what follows a last boundary without the dashes that end it
        names = [type(defect).__name__ for defect in inner.defects]
        content = str(inner.get_payload())
        if _is_open(str(inner.get("Content-Type", "")), content, names):
            continue
        defects += map(_words, names)
        if str(inner.get("Content-Transfer-Encoding", "")).lower() == "base64":
            content = _PLACEHOLDER
        begins = content.startswith(_PLACEHOLDER)
        parts.append((inner.get_content_type(), UNKNOWN if begins else content))
    return rules.UserDataFacts(
        bytes=size,
        parts=tuple(parts),
        defects=tuple(dict.fromkeys(defects)),
        without_parts=without_parts,
    )


def _has_open_type(text: str) -> bool:
    """Whether the type of the message, or a line among its headers, is in a placeholder."""
    name = ""
    for line in text.splitlines():
        if line.startswith(_PLACEHOLDER):
            return True
        if not line.startswith((" ", "\t")):
            name, colon, _ = line.partition(":")
            if not colon:
                break
        if _PLACEHOLDER in line and name.lower() == "content-type":
            return True
    return False


def _may_have_boundary(text: str, boundary: str) -> bool:
    """Whether a line that is not all known may be one with the boundary."""
    return any(
        f"--{boundary}".startswith(line.partition(_PLACEHOLDER)[0])
        for line in text.splitlines()
        if _PLACEHOLDER in line
    )


def _is_open(kind: str, content: str, defects: list[str]) -> bool:
    """Whether the type of a part is not known: it, or the headers, are in a placeholder."""
    no_headers = "MissingHeaderBodySeparatorDefect" in defects
    return _PLACEHOLDER in kind.partition(";")[0] or (
        no_headers and content.startswith(_PLACEHOLDER)
    )


def _alone(text: str) -> tuple[tuple[str, str | Unknown], ...]:
    """What a script or cloud-config is that is no part of a message."""
    if text.startswith("#cloud-config"):
        return (("text/cloud-config", text),)
    return (("text/x-shellscript", text),) if text.startswith("#!") else ()


def _words(defect: str) -> str:
    return {
        "CloseBoundaryNotFoundDefect": "has no last boundary, with -- after it",
        "MissingHeaderBodySeparatorDefect": "lacks the empty line between headers and text",
        "FirstHeaderLineIsContinuationDefect": "has headers that begin with a blank",
        "InvalidMultipartContentTransferEncodingDefect": "has a wrong encoding",
    }.get(defect, f"is no message: {defect}")
