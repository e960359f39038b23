"""The error frames that API Gateway sends to clients, byte for byte. It imports neither Django nor AWS."""

import json

INTERNAL_SERVER_ERROR = "Internal server error"
"""The message of the frame that a failed integration causes. The connection stays open."""


def error_frame(message: str, *, connection_id: str, request_id: str) -> str:
    """Returns the text of an error frame. The uneven spacing is API Gateway's own."""
    quoted = (json.dumps(text, ensure_ascii=False) for text in (message, connection_id, request_id))
    return '{{"message": {}, "connectionId":{}, "requestId":{}}}'.format(*quoted)
