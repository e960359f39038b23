"""What the chat sends to browsers, as JSON-ready dicts. Nothing here talks to AWS."""

import json
from collections.abc import Sequence
from typing import Any

from ws_lambda.models import ChannelMessage

MAX_REPLY_BYTES = 100_000
"""API Gateway cuts a connection off over a message of 128 KB; the rest is room for the frame around it."""


def message_frame(message: ChannelMessage) -> dict[str, Any]:
    """One message of a room."""
    return {
        **message.payload,
        "type": "message",
        "sequence": message.sequence,
        "sender": message.sender,
        "sent_at": message.sent_at.isoformat(),
    }


def history_frame(
    messages: Sequence[ChannelMessage], *, recovered: bool = True, latest: bool = False
) -> dict[str, Any]:
    """As many messages as fit in one reply.

    With `latest` the oldest are left out; otherwise the newest are, and `more` asks the browser to come
    back for them.
    """
    frames = [message_frame(message) for message in messages]
    kept: list[dict[str, Any]] = []
    size = 0
    for frame in reversed(frames) if latest else frames:
        size += len(json.dumps(frame))
        if size > MAX_REPLY_BYTES and kept:
            break
        kept.append(frame)
    if latest:
        kept.reverse()
    more = not latest and len(kept) < len(frames)
    return {"type": "history", "messages": kept, "recovered": recovered, "more": more}
