"""A Lambda REQUEST authorizer, which only `$connect` can have.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ws_lambda.local.api_definition import Event
from ws_lambda.local.errors import GatewayError
from ws_lambda.local.upgrade import Upgrade


class Unauthorized(GatewayError):
    """Unauthorized"""

    status = 401


class Denied(GatewayError):
    """Forbidden"""

    status = 403


@dataclass(frozen=True, kw_only=True, slots=True)
class Authorizer:
    """A function that decides who may connect."""

    function: Callable[[Event], Awaitable[object]]
    """Takes the `$connect` event with `type` and `methodArn`; returns an IAM policy."""

    identity_sources: tuple[str, ...] = ()
    """`route.request.header.X` or `route.request.querystring.X`. If one is missing, the answer is 401."""

    async def admit(self, upgrade: Upgrade, event: Event) -> dict[str, Any]:
        """The `authorizer` part of the request context.

        Raises:
            Unauthorized: an identity source is missing.
            Denied: the policy does not allow it, or the function returned no policy.
        """
        for source in self.identity_sources:
            if not _identity(upgrade, source):
                raise Unauthorized(f"{source} is missing")
        context = event["requestContext"]
        arn = f"arn:aws:execute-api:local:000000000000:{context['apiId']}/{context['stage']}/$connect"
        answer = await self.function(event | {"type": "REQUEST", "methodArn": arn})
        if not isinstance(answer, dict) or not _allows(answer.get("policyDocument")):
            raise Denied("the authorizer's policy does not allow it")
        return dict(answer.get("context") or {}) | {"principalId": answer.get("principalId", "")}


def _identity(upgrade: Upgrade, source: str) -> str:
    _route, _request, kind, name = source.split(".", 3)
    if kind == "header":
        return upgrade.header(name) or ""
    return upgrade.query.get(name, [""])[-1]


def _allows(policy: object) -> bool:
    """An explicit Deny wins. Without an Allow, nothing is allowed."""
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    effects = [one.get("Effect") for one in statements if isinstance(one, dict)]
    return "Allow" in effects and "Deny" not in effects
