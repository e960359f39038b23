"""Keeping a secret in a table for this project alone: encrypted and authenticated with keys made of SECRET_KEY.

HMAC-SHA-256 in counter mode, then a tag over nonce and text. Django has no encryption, and a library would be one
more dependency for thirty characters.
"""

import base64
import binascii
import secrets

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_NONCE = 16
_TAG = 16
_STREAM_SALT, _TAG_SALT = "ws_lambda.sealing.stream", "ws_lambda.sealing.tag"


def encrypt(text: str) -> str:
    """The text as only this project can read it. No two of the same text are alike."""
    nonce = secrets.token_bytes(_NONCE)
    hidden = _cover(text.encode(), nonce, settings.SECRET_KEY)
    return base64.urlsafe_b64encode(nonce + _tag(nonce + hidden, settings.SECRET_KEY) + hidden).decode()


def decrypt(sealed: str) -> str | None:
    """The text; None where it was sealed with a SECRET_KEY that is not in SECRET_KEY_FALLBACKS, or is damaged."""
    try:
        raw = base64.urlsafe_b64decode(sealed)
    except (binascii.Error, ValueError):
        return None
    nonce, tag, hidden = raw[:_NONCE], raw[_NONCE : _NONCE + _TAG], raw[_NONCE + _TAG :]
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if constant_time_compare(tag.hex(), _tag(nonce + hidden, secret).hex()):
            return _cover(hidden, nonce, secret).decode()
    return None


def _tag(sealed: bytes, secret: str | bytes) -> bytes:
    return salted_hmac(_TAG_SALT, sealed, secret, algorithm="sha256").digest()[:_TAG]


def _cover(data: bytes, nonce: bytes, secret: str | bytes) -> bytes:
    """Exclusive or with a stream that only the secret makes; done twice it is undone."""
    stream = bytearray()
    while len(stream) < len(data):
        block = nonce + len(stream).to_bytes(4, "big")
        stream += salted_hmac(_STREAM_SALT, block, secret, algorithm="sha256").digest()
    return bytes(one ^ other for one, other in zip(data, stream, strict=False))
