"""The frames that API Gateway itself sends to clients, byte for byte. Pure: no Django, no AWS."""

import json

INTERNAL_SERVER_ERROR = "Internal server error"
"""The integration failed. The connection stays open."""


def error_frame(message: str, *, connection_id: str, request_id: str) -> str:
    """The text of an error frame; the spacing, uneven as it is, is API Gateway's own."""
    quoted = (json.dumps(text, ensure_ascii=False) for text in (message, connection_id, request_id))
    return '{{"message": {}, "connectionId":{}, "requestId":{}}}'.format(*quoted)
