"""What one field of a gateway's record may hold, each rule as a function from the value to what is wrong with it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ws_lambda import aws
from ws_lambda.channels import MAX_NAME_LENGTH, NAME_PATTERN

Check = Callable[[Any], Iterator[str]]
"""Yields a sentence for each thing that is wrong with a value. The sentence says what to enter instead."""

_ACCOUNT = r"[a-z0-9-]+:\d{12}"
FUNCTION_ARN = rf"arn:aws[\w-]*:lambda:{_ACCOUNT}:function:[\w-]{{1,64}}(:[\w$-]{{1,128}})?"
LOG_ARN = rf"arn:aws[\w-]*:(logs:{_ACCOUNT}:log-group:|firehose:{_ACCOUNT}:deliverystream/).+"
CERTIFICATE_ARN = re.compile(r"arn:aws[\w-]*:acm:([a-z0-9-]+):\d{12}:certificate/[\w-]+")
DOMAIN_NAME = r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
ROUTE_KEY = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
SELECTION = r"\$request\.body\.\w[\w.-]*|.*\$\{request\.body\.\w[\w.-]*\}.*"
API_KEY_SELECTIONS = ("$request.header.x-api-key", "$context.authorizer.usageIdentifierKey")


def matches(pattern: str, sentence: str) -> Check:
    """The whole value matches a regular expression."""
    compiled = re.compile(pattern)

    def check(value: Any) -> Iterator[str]:
        if not compiled.fullmatch(value):
            yield sentence

    return check


def optional(rule: Check) -> Check:
    """The rule applies only to a value that is not empty."""

    def check(value: Any) -> Iterator[str]:
        if value:
            yield from rule(value)

    return check


def at_most(length: int) -> Check:
    """The value has at most this many characters."""
    return matches(rf"(?s).{{0,{length}}}", f"Enter at most {length} characters.")


def one_of(*values: str) -> Check:
    """The value is one of these."""
    return matches("|".join(map(re.escape, values)), f"Enter {' or '.join(values)}: API Gateway accepts no other.")


def channel_name(value: str) -> Iterator[str]:
    """The name of a channel, not a pattern."""
    if len(value) > MAX_NAME_LENGTH or not NAME_PATTERN.fullmatch(value):
        yield f"Use only letters, digits and _ . : @ -, at most {MAX_NAME_LENGTH} characters."


def above_zero(value: float | None) -> Iterator[str]:
    """A limit, or None for the account's quota."""
    if value is not None and value <= 0:
        yield "Enter a number above 0, or leave it empty to use the account's quota."


def certificate(arn: str) -> Iterator[str]:
    """An ACM certificate in the region of the API: the domains of WebSocket APIs are regional."""
    found = CERTIFICATE_ARN.fullmatch(arn)
    if not found:
        yield "Enter the ARN of an ACM certificate."
    elif found[1] != aws.region():
        yield f"Use a certificate in the region of the API, {aws.region()}."


def tags(value: object) -> Iterator[str]:
    """Tags of an AWS resource. One of the 50 that AWS allows is ours.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    if not isinstance(value, Mapping) or not all(isinstance(x, str) for pair in value.items() for x in pair):
        yield 'Enter a JSON object of strings, such as {"team": "web"}.'
        return
    if len(value) > 49:
        yield "Enter at most 49 tags: AWS allows 50, and this package adds one."
    for key, text in value.items():
        if not 1 <= len(key) <= 128 or len(text) > 256:
            yield f"{key!r}: a key has 1 to 128 characters, and a value at most 256."
        if key.lower().startswith(("aws:", "ws-lambda:")):
            yield f"{key!r}: keys that start with aws: or ws-lambda: are reserved."
