"""AWS Signature Version 4, for very many requests that differ little.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

The signing key is derived once a day. The body of a broadcast is hashed once. All of the canonical request but the path
and that hash is built once a second. The tests compare each header with botocore's signer.
"""

import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from ws_lambda.delivery.identity import Identity

ALGORITHM = "AWS4-HMAC-SHA256"
_SAFE_IN_PATH = "/~"


def timestamp(epoch_seconds: int) -> str:
    """The time in the form of `X-Amz-Date`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(epoch_seconds))


@lru_cache(maxsize=32)
def signing_key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """The signing key for one day, region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def canonical_path(path: str) -> str:
    """The path as it is signed: percent-encoded once more than it is sent, as every service but S3 requires."""
    return quote(path, safe=_SAFE_IN_PATH)


class Stamp:
    """Signs requests to one host with the same second, method and headers, and different paths or bodies."""

    def __init__(
        self,
        identity: Identity,
        *,
        moment: str,
        region: str,
        service: str,
        method: str,
        headers: Mapping[str, str],
    ) -> None:
        """
        Args:
            moment: the current `timestamp()`.
            headers: what to sign besides the date and the session token, by lower-case name; `host` among them.
        """
        signed = {**headers, "x-amz-date": moment}
        self.headers: list[tuple[str, str]] = [("X-Amz-Date", moment)]
        """The headers to send besides `Authorization`."""
        if identity.token:
            signed["x-amz-security-token"] = identity.token
            self.headers.append(("X-Amz-Security-Token", identity.token))
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
        scope = f"{moment[:8]}/{region}/{service}/aws4_request"
        self._key = signing_key(identity.secret_key, moment[:8], region, service)
        self._before_path = sha256(f"{method}\n".encode())
        self._after_path = f"\n\n{lines}\n{names}\n"
        self._to_sign = f"{ALGORITHM}\n{moment}\n{scope}\n"
        self._header = f"{ALGORITHM} Credential={identity.access_key}/{scope}, SignedHeaders={names}, Signature="

    def authorization(self, signed_path: str, body_hash: str) -> str:
        """The `Authorization` header of one request without a query string.

        Args:
            signed_path: the result of `canonical_path`.
            body_hash: SHA-256 of the body, hexadecimal.
        """
        digest = self._before_path.copy()
        digest.update((signed_path + self._after_path + body_hash).encode())
        to_sign = self._to_sign + digest.hexdigest()
        return self._header + hmac.digest(self._key, to_sign.encode(), "sha256").hex()
