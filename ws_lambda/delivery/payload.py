"""The bytes of a message. Serialised once, however many hear it."""

from typing import Any, Final

from ws_lambda import json_text

MAX_BYTES: Final = 131_072
"""The largest message that `@connections` takes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


def encode(data: Any) -> bytes:
    """A string as it is, anything else as JSON by Django's encoder (dates, decimals, UUIDs, lazy strings).

    Raises:
        ValueError: over MAX_BYTES once encoded; or it has a number that no browser would read: a NaN, an infinity, or
            a whole one beyond a double.
        TypeError: the encoder does not know the type.
    """
    body = (data if isinstance(data, str) else json_text.dumps(data)).encode()
    if len(body) > MAX_BYTES:
        raise ValueError(f"The message is {len(body):,} bytes; API Gateway takes at most {MAX_BYTES:,}.")
    return body
