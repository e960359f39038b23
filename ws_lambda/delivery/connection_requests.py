"""Requests to API Gateway's management API: `POST`, `GET` and `DELETE /{stage}/@connections/{id}`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

import logging
import re
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from ws_lambda import aws, clock
from ws_lambda.delivery import identity, signing
from ws_lambda.delivery.exchange import Request
from ws_lambda.delivery.outcomes import Recipient

logger = logging.getLogger("ws_lambda.delivery")

_SERVICE = "execute-api"
_HOST = re.compile(r"[a-z0-9._:-]+")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_~-]+=*")
_REGION = re.compile(r"[.-]execute-api(?:-fips)?\.([a-z0-9-]+)\.")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def region_of(host: str) -> str:
    """The region in a generated host name. For a custom domain, the process's own region."""
    found = _REGION.search(host)
    return found[1] if found else aws.region()


class _Endpoint:
    """The endpoint of one gateway: what all requests to it have in common."""

    __slots__ = ("host", "path", "region", "second", "signed_path", "stamp", "url")

    def __init__(self, endpoint_url: str) -> None:
        """
        Raises:
            ValueError: a request cannot be sent to this URL.
        """
        parts = urlsplit(endpoint_url)
        if not endpoint_url:
            raise ValueError("the session has no endpoint")
        host = parts.hostname or ""
        if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
            raise ValueError("the endpoint is not an http(s) URL")
        host = f"[{host}]" if ":" in host else host
        if parts.port not in (None, _DEFAULT_PORTS[parts.scheme]):
            host = f"{host}:{parts.port}"
        self.host = host
        try:
            self.region = region_of(host)
        except NoRegionError:
            raise ValueError("no region to sign for: set AWS_REGION") from None
        self.path = quote(parts.path.rstrip("/"), safe="/%~@:!$&'()*+,;=") + "/@connections/"
        self.signed_path = signing.canonical_path(self.path)
        self.url = f"{parts.scheme}://{host}{self.path}"
        self.second = 0
        self.stamp: signing.Stamp


class ConnectionRequests:
    """Makes signed requests with one method and body, to any number of gateways."""

    def __init__(self, method: str, body: bytes = b"") -> None:
        self._method = method
        self._body = body
        self._body_hash = sha256(body).hexdigest()
        self._endpoints: dict[str, _Endpoint] = {}
        self._identity: identity.Identity | None = None

    def request(self, recipient: Recipient, timeout: float, context: Any) -> Request:
        """The request for one connection, signed with the current time.

        Raises:
            ValueError: the recipient cannot be addressed. The message says why.
            botocore.exceptions.NoCredentialsError: there is nothing to sign with.
        """
        connection_id, endpoint_url, _ = recipient
        endpoint = self._endpoints.get(endpoint_url)
        if endpoint is None:
            endpoint = self._endpoints[endpoint_url] = _Endpoint(endpoint_url)
        second = int(clock.now())
        if second != endpoint.second:
            self._restamp(endpoint, second)
        if _PLAIN_ID.fullmatch(connection_id):
            quoted = connection_id.replace("=", "%3D")
        elif connection_id.strip("."):
            quoted = quote(connection_id, safe="~")
        else:
            raise ValueError("the connection id is invalid")
        stamp = endpoint.stamp
        signature = stamp.authorization(endpoint.signed_path + quoted.replace("%", "%25"), self._body_hash)
        headers = [("Authorization", signature), *stamp.headers]
        return Request(self._method, endpoint.url + quoted, headers, self._body, timeout, context)

    def _restamp(self, endpoint: _Endpoint, second: int) -> None:
        endpoint.stamp = signing.Stamp(
            self._signer(),
            moment=signing.timestamp(second),
            region=endpoint.region,
            service=_SERVICE,
            method=self._method,
            headers={"host": endpoint.host},
        )
        endpoint.second = second

    def _signer(self) -> identity.Identity:
        """The credentials to sign with. A renewal that fails in the middle of a dispatch must not end it: botocore
        begins to renew long before they expire, and requests signed with expired ones are refused one by one."""
        try:
            self._identity = identity.current()
        except (BotoCoreError, ClientError) as failed:
            if self._identity is None:
                raise
            logger.warning("The credentials could not be renewed; the last ones are used: %s", type(failed).__name__)
        return self._identity
