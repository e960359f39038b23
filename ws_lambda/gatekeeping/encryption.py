"""Authenticated encryption of short secrets with keys that are derived from SECRET_KEY.

It is HMAC-SHA-256 in counter mode, with a tag over nonce and ciphertext. Django has no encryption, and a library would
be another dependency for thirty characters.
"""

import base64
import binascii
import secrets

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_NONCE = 16
_TAG = 16
_STREAM_SALT, _TAG_SALT = "ws_lambda.sealing.stream", "ws_lambda.sealing.tag"  # of stored values: never change them


def encrypt(text: str) -> str:
    """Encrypts a text. The result differs each time."""
    nonce = secrets.token_bytes(_NONCE)
    hidden = _cover(text.encode(), nonce, settings.SECRET_KEY)
    return base64.urlsafe_b64encode(nonce + _tag(nonce + hidden, settings.SECRET_KEY) + hidden).decode()


def decrypt(sealed: str) -> str | None:
    """Decrypts a text; None if it is damaged, or if its key is neither SECRET_KEY nor in SECRET_KEY_FALLBACKS."""
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
    """XOR with a key stream. Applying it twice gives the original data."""
    stream = bytearray()
    while len(stream) < len(data):
        block = nonce + len(stream).to_bytes(4, "big")
        stream += salted_hmac(_STREAM_SALT, block, secret, algorithm="sha256").digest()
    return bytes(one ^ other for one, other in zip(data, stream, strict=False))
