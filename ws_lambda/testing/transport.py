"""What the package sends to `@connections` goes straight to the in-process gateway."""

from urllib.parse import unquote, urlsplit

from ws_lambda.delivery import Request, Response
from ws_lambda.local.connections_api import ConnectionsApi, error


class GatewayTransport:
    """A `ws_lambda.delivery.Transport`. Signatures are not checked: the clocks of signer and gateway differ."""

    grace_period = 0.0
    """A `$connect` that is under way goes on when the call has returned, and not before."""

    def __init__(self, management: ConnectionsApi) -> None:
        self._management = management

    def exchange(self, request: Request) -> Response:
        """One call of @connections, answered at once."""
        path = urlsplit(request.url).path
        connection_id = unquote(path.rpartition("/")[2])
        if "/@connections/" not in unquote(path):
            answer = error(403, "ForbiddenException", "Forbidden")
        else:
            answer = self._management.act(request.method, connection_id, request.body)
        return Response(answer.status, answer.body, answer.headers)
