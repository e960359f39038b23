"""Verifies Signature Version 4. The code follows the specification, and not any signer's code.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote

SKEW = 300
"""Seconds by which the time of a signature may be off."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request to an AWS service, as it came over the wire."""

    method: str
    raw_path: str
    """The path as sent, still percent-encoded, because the signature covers that."""

    query_string: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def get(self, name: str, /) -> str | None:
        """The first value of a header. The name is case-insensitive."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class BadSignatureError(Exception):
    """The request is not signed, or not by a known key."""


def verify(request: Request, keys: Mapping[str, str], *, service: str, now: float) -> None:
    """Checks the signature of a request against the secrets of known access keys.

    Args:
        service: as signers name it: `dynamodb`, `execute-api`, `sqs`.

    Raises:
        BadSignatureError: with the reason.
    """
    headers = _headers(request)
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise BadSignatureError("Missing Authentication Token")
    access_key, day, region, signed_service, signed_names, signature = found.groups()
    secret, stamp = keys.get(access_key), headers.get("x-amz-date", "")
    if secret is None:
        raise BadSignatureError(f"Unknown access key {access_key}: this gateway knows {', '.join(keys)}")
    if signed_service != service:
        raise BadSignatureError(f"Credential should be scoped to correct service: '{service}'")
    names = signed_names.split(";")
    if "host" not in names or "x-amz-date" not in names:
        raise BadSignatureError("host and x-amz-date must be signed")
    if not stamp.startswith(day) or abs(_seconds(stamp) - now) > SKEW:
        raise BadSignatureError("Signature expired, or not yet current")
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = _canonical(request, headers, names)
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{_sha256(canonical.encode())}"
    key = _key(secret, day, region, service)
    if not hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), signature):
        raise BadSignatureError("The request signature we calculated does not match the signature you provided")


@lru_cache(maxsize=32)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical(request: Request, headers: Mapping[str, str], names: list[str]) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(request.query_string, keep_blank_values=True)
    )
    query = "&".join(f"{name}={value}" for name, value in pairs)
    lines = "".join(f"{name}:{headers.get(name, '')}\n" for name in names)
    # For every service but S3, the signed path is encoded once more than the one sent.
    path = quote(request.raw_path, safe="/-_.~")
    return "\n".join([request.method, path, query, lines, ";".join(names), _sha256(request.body)])


def _headers(request: Request) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        found.setdefault(name.lower(), []).append(" ".join(value.split()))
    return {name: ",".join(values) for name, values in found.items()}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@lru_cache(maxsize=32)
def _seconds(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise BadSignatureError(f"{stamp} is no date") from None
