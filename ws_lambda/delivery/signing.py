"""AWS Signature Version 4, for very many requests that differ in little.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

The signing key is derived once a day, a broadcast's body is hashed once, and of the canonical request all but the
path and that hash is put together once a second. botocore's signer is the oracle: the tests compare header by header.
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
    """The moment as `X-Amz-Date` has it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(epoch_seconds))


@lru_cache(maxsize=32)
def signing_key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def canonical_path(path: str) -> str:
    """The path as it is signed: percent-encoded once more than it is sent (every service but S3 wants that)."""
    return quote(path, safe=_SAFE_IN_PATH)


class Stamp:
    """Signs requests to one host that share a second, a method and the headers, and differ in path or body."""

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
            moment: `timestamp()` of now.
            headers: what is signed beside the date and the session token, by lower-case name; `host` among them.
        """
        signed = {**headers, "x-amz-date": moment}
        self.headers: list[tuple[str, str]] = [("X-Amz-Date", moment)]
        """The headers to send beside `Authorization`."""
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
        """The `Authorization` header of one request. No query is signed.

        Args:
            signed_path: has been through `canonical_path`.
            body_hash: SHA-256 of the body, hexadecimal.
        """
        digest = self._before_path.copy()
        digest.update((signed_path + self._after_path + body_hash).encode())
        to_sign = self._to_sign + digest.hexdigest()
        return self._header + hmac.digest(self._key, to_sign.encode(), "sha256").hex()
