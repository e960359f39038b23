"""The values of `requestContext` that a test gives by name."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ws_lambda.testing.handshake import SOURCE_IP, USER_AGENT

KEYS = frozenset(
    {
        "apiId",
        "authorizer",
        "connectedAt",
        "domainName",
        "eventType",
        "extendedRequestId",
        "identity",
        "messageDirection",
        "messageId",
        "requestId",
        "requestTime",
        "requestTimeEpoch",
        "routeKey",
        "stage",
    }
)
"""The keys of AWS's `requestContext`, except those of `ARGUMENTS`."""

ARGUMENTS = {
    "connectionId": "connection_id",
    "disconnectReason": "reason",
    "disconnectStatusCode": "code",
    "sourceIp": "source_ip",
}
"""Values that an event takes by an argument of its own."""

_TEXTS = ("domainName", "requestId", "extendedRequestId")
"""Keys whose value is also a part of the headers."""


def check(context: Mapping[str, Any]) -> None:
    """Refuses names that `requestContext` does not have, so that a misspelt one is not ignored.

    Raises:
        TypeError: a name is not a key of `requestContext`.
    """
    for name in context:
        if name not in KEYS:
            raise TypeError(
                f"There is no argument {name!r} for this event, nor such a key in requestContext. {_advice(name)}"
            )


def check_texts(context: Mapping[str, Any]) -> None:
    """Refuses values that cannot be a part of the headers.

    Raises:
        TypeError: a value is not a string, or is empty.
    """
    for name in _TEXTS:
        if name in context and not (isinstance(context[name], str) and context[name]):
            raise TypeError(f"{name} must be a string that is not empty, not {context[name]!r}.")


def client_of(context: Mapping[str, Any], source_ip: str, user_agent: str | None) -> tuple[str, str | None]:
    """The address and the User-Agent of the client: those of `identity` if the test gives one.

    Raises:
        TypeError: the test gives `identity` and one of the other two.
    """
    identity = context.get("identity")
    if not isinstance(identity, Mapping):
        return source_ip, user_agent
    if (source_ip, user_agent) != (SOURCE_IP, USER_AGENT):
        raise TypeError("Give either identity or the client's address and User-Agent, not both.")
    return identity.get("sourceIp", SOURCE_IP), identity.get("userAgent")


def request_id_of(context: Mapping[str, Any], default: str) -> str:
    """The value of both request ids. A test that gives only one of them gives both."""
    request_id: str = context.get("requestId", context.get("extendedRequestId", default))
    return request_id


def _advice(name: str) -> str:
    plain = {one.lower(): one for one in KEYS} | {key.lower(): value for key, value in ARGUMENTS.items()}
    close = get_close_matches(name.replace("_", "").lower(), plain, n=1)
    return f"Use {plain[close[0]]!r}." if close else f"Its keys are {', '.join(sorted(KEYS))}."
