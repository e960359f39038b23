"""The bytes of a message, serialised once for all recipients."""

from typing import Any, Final

from ws_lambda import json_text

MAX_BYTES: Final = 131_072
"""The largest message that `@connections` accepts.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


def encode(data: Any) -> bytes:
    """Encodes a string as it is, anything else as JSON by Django's encoder (dates, decimals, UUIDs, lazy strings).

    Raises:
        ValueError: it has more than MAX_BYTES once encoded, or a number that no browser can read: NaN, an infinity, or
            an integer beyond the range of a double.
        TypeError: the encoder does not support the type.
    """
    body = (data if isinstance(data, str) else json_text.dumps(data)).encode()
    if len(body) > MAX_BYTES:
        raise ValueError(f"The message is {len(body):,} bytes; API Gateway accepts at most {MAX_BYTES:,}.")
    return body
