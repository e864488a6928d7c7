"""Rules for user data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator

USER_DATA_LIMIT: Final = 16_384
"""Bytes of user data before base64."""

_EXECUTED: Final = ("text/x-shellscript", "text/cloud-boothook")
_CONTENT_TYPES: Final = ("text/cloud-config", *_EXECUTED)
_REBOOT: Final = re.compile(
    r"(?:^[ \t-]*|&&[ \t]*|;[ \t]*)(?:sudo[ \t]+)?(?:/\S*/)?(?:systemctl[ \t]+)?"
    r"(?:reboot|poweroff|halt|shutdown)(?=[\s;&|]|$)|^power_state:",
    re.M,
)
_SECRETS: Final = re.compile(
    r"AKIA[0-9A-Z]{16}|aws_secret_access_key|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?<![a-z])(?:password|passwd|secret|token)\s*[=:]\s*['\"]?(?!arn:)[^\s'\"${}<]{6,}",
    re.I,
)


@facts_record
class UserDataFacts:
    """The user data of a launch template."""

    bytes: int
    """Its size without its tokens."""
    parts: tuple[tuple[str, str | Unknown], ...] = ()
    """Content type and text of each part that the user added."""
    encoded: bool = True
    """Whether it is in base64."""
    multipart: bool = True
    """Whether it is a MIME message of several parts."""
    defects: tuple[str, ...] = ()
    """What is wrong with that message."""
    without_parts: tuple[str, ...] = ()
    """What keeps it from having parts."""

    def known_parts(self) -> Iterator[tuple[str, str]]:
        """The parts whose text is known."""
        for content_type, text in self.parts:
            if text is not UNKNOWN:
                yield content_type, text


@error("PCS901", UserDataFacts)
def user_data_is_small_enough(facts: UserDataFacts) -> Iterator[Violation]:
    """User data has at most 16,384 bytes before base64.

    What a token becomes is not known before deployment and not counted.

    Source: Instance user data in the Amazon EC2 User Guide.
    """
    if facts.bytes > USER_DATA_LIMIT:
        yield Violation(
            "user_data",
            f"has {facts.bytes} bytes, and EC2 takes {USER_DATA_LIMIT}",
            "put long scripts into S3 or into the image, and run them from here",
        )


@error("PCS902", UserDataFacts)
def shell_parts_name_their_interpreter(facts: UserDataFacts) -> Iterator[Violation]:
    """A shell part or a boothook starts with `#!`, and a cloud-config part does not.

    cloud-init writes such a part to a file and executes it; without an interpreter that fails.

    Source: User data formats of cloud-init.
    """
    for content_type, text in facts.known_parts():
        script = text.removeprefix("#cloud-boothook\n")
        if content_type in _EXECUTED and not script.startswith("#!"):
            yield Violation(
                "user_data",
                f"a {content_type} part starts with {text.partition(chr(10))[0][:40]!r}",
                "start it with '#!/bin/bash'",
            )
        if content_type == "text/cloud-config" and text.startswith("#!"):
            yield Violation(
                "user_data",
                "a cloud-config part starts with '#!'",
                "use UserDataPart.shell_script for scripts",
                template_fix="give scripts the type text/x-shellscript",
            )


@advice("PCS903", UserDataFacts)
def user_data_does_not_reboot(facts: UserDataFacts) -> Iterator[Violation]:
    """User data does not restart the node, unless in a boothook.

    PCS counts the time a node takes to register; a node that restarts meanwhile may be replaced,
    again and again. What needs a restart belongs into the image.

    Source: Working with Amazon EC2 user data; Troubleshooting AWS PCS.
    """
    for content_type, text in facts.known_parts():
        match = _REBOOT.search(text)
        if match and content_type != "text/cloud-boothook":
            yield Violation(
                "user_data",
                f"a {content_type} part runs {match[0].strip()!r}",
                "do it when the image is built",
            )


@advice("PCS904", UserDataFacts)
def user_data_holds_no_secret(facts: UserDataFacts) -> Iterator[Violation]:
    """User data holds no password, key or token.

    Everybody who is on a node, or may read launch templates, can read it.

    Source: Instance user data in the Amazon EC2 User Guide.
    """
    for content_type, text in facts.known_parts():
        if _SECRETS.search(text):
            yield Violation(
                "user_data",
                f"a {content_type} part seems to hold a secret",
                "read it from Secrets Manager on the node, with the node group's role",
            )


@advice("PCS905", UserDataFacts)
def user_data_is_ascii(facts: UserDataFacts) -> Iterator[Violation]:
    """Every part of the user data is ASCII.

    cloud-init reads a multipart message as bytes and garbles other characters: a script that was
    meant to write them writes something else.

    Source: cloud-init 22.4, tried.
    """
    for content_type, text in facts.known_parts():
        if not text.isascii():
            stranger = next(character for character in text if not character.isascii())
            yield Violation(
                "user_data",
                f"a {content_type} part has {stranger!r} in it",
                "keep to ASCII, or read the text from a file of the image or from S3",
            )


@error("PCS906", UserDataFacts)
def parts_have_a_type_that_pcs_merges(facts: UserDataFacts) -> Iterator[Violation]:
    """A part of the user data is cloud-config, a shell script or a boothook.

    AWS PCS merges such parts with its own. The factories of `UserDataPart` make no others.

    Source: Working with Amazon EC2 user data.
    """
    for content_type, _ in facts.parts:
        if content_type not in _CONTENT_TYPES:
            yield Violation(
                "user_data",
                f"a part has the type {content_type!r}",
                "make it with UserDataPart.cloud_config, .shell_script or .boothook",
                template_fix=f"use {', '.join(_CONTENT_TYPES[:-1])} or {_CONTENT_TYPES[-1]}",
            )


_UNVERIFIED: Final = re.compile(r"^[ \t]*#+[ \t]*(?:sudo[ \t]+)?gpg2?\b.*--verify", re.M)
_VERIFIED: Final = re.compile(r"^[ \t]*(?:if[ \t]+|!|sudo[ \t]+)*gpg2?\b.*--verify", re.M)


@error("PCS940", UserDataFacts)
def user_data_is_encoded(facts: UserDataFacts) -> Iterator[Violation]:
    """User data of a launch template is in base64.

    Source: `UserData` of `AWS::EC2::LaunchTemplate`.
    """
    if not facts.encoded:
        yield Violation("user_data", "is not in base64", "put Fn::Base64 around it")


@error("PCS941", UserDataFacts)
def user_data_is_multipart(facts: UserDataFacts) -> Iterator[Violation]:
    """User data is a MIME message of several parts, be it of one.

    AWS PCS puts parts of its own beside it. A script alone is not merged with them.

    Source: Working with Amazon EC2 user data.
    """
    if not facts.multipart:
        yield Violation(
            "user_data",
            "is no MIME multipart message",
            "begin with MIME-Version: 1.0 and Content-Type: multipart/mixed, and make a part of it",
        )


@error("PCS907", UserDataFacts)
def boundary_is_the_one_that_is_named(facts: UserDataFacts) -> Iterator[Violation]:
    """The MIME message in user data has lines with the boundary that its Content-Type names.

    Without one it has no parts: cloud-init runs nothing of it, and says so only in a log.

    Source: RFC 2046, section 5.1.1; cloud-init, tried.
    """
    for defect in facts.without_parts:
        yield Violation("user_data", defect, "write --BOUNDARY before each part, --BOUNDARY-- last")


@advice("PCS942", UserDataFacts)
def user_data_is_whole(facts: UserDataFacts) -> Iterator[Violation]:
    """The MIME message in user data is whole: headers, an empty line, parts, a last boundary.

    cloud-init makes the best of what is not, a last boundary that is missing for example, or drops
    it, and says so only in a log of the node. What AWS PCS does with it is not documented.

    Source: Working with Amazon EC2 user data; aws-cdk issues 6427 and 12256.
    """
    for defect in facts.defects:
        yield Violation("user_data", defect, "compare it with the example in the user guide")


@advice("PCS943", UserDataFacts)
def signatures_are_verified(facts: UserDataFacts) -> Iterator[Violation]:
    """What nodes download to install is verified where there is a signature for it.

    A verification that is commented out is worse than none: it looks as if there were one.

    Source: Software installers for AWS PCS, "Verify the installer".
    """
    for content_type, text in facts.known_parts():
        if _UNVERIFIED.search(text) and not _VERIFIED.search(text):
            yield Violation(
                "user_data",
                f"a {content_type} part has a gpg --verify that is commented out",
                "verify the signature, or take the line out",
            )


@facts_record
class InlineCodeFacts:
    """The code of a function that is in the template itself."""

    error: str | Unknown | None
    """What Python says of it; `None` where it reads well."""


@error("PCS944", InlineCodeFacts)
def inline_code_can_be_read(facts: InlineCodeFacts) -> Iterator[Violation]:
    """Python code in a template, such as that of a custom resource, is Python.

    A bracket that is missing shows when CloudFormation calls the function, and then it waits for an
    answer for an hour.

    Source: `Code` of `AWS::Lambda::Function`; `ast.parse` of Python.
    """
    if isinstance(facts.error, str):
        yield Violation("code", f"is no Python: {facts.error}", "correct it")
