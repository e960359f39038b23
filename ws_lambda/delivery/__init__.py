"""Sending to connections through `@connections`: who, how fast, and what came of it.

The way of a broadcast: `sending` → `roster` (who) → `broadcasting` and `rounds` (retries, outcomes) → `management` and
`signing` (the request) → `exchange` and `curl` (the wire). More than FANOUT_INLINE_MAX recipients go from `sending`
to `queue`, and from there to the worker, `ws_lambda.fanout`. Nothing here knows a model: who is gone is handed back.
"""

from ws_lambda.delivery import roster
from ws_lambda.delivery.audiences import Audience, Channel, Everyone, Listed
from ws_lambda.delivery.broadcasting import broadcast, close, inspect
from ws_lambda.delivery.calls import CANCELLED, CONDITION_FAILED, Call, call_all
from ws_lambda.delivery.connecting import check_open, connecting, under_way
from ws_lambda.delivery.deadlines import deadline, invocation_deadline, seconds_left
from ws_lambda.delivery.exchange import Broken, Request, Response, Transport, installed, using_transport
from ws_lambda.delivery.outcomes import (
    NOT_OPEN_YET,
    YOUNG_SECONDS,
    ConnectionStatus,
    DeliveryReport,
    Failure,
    Recipient,
)
from ws_lambda.delivery.payload import MAX_BYTES
from ws_lambda.delivery.sending import send
from ws_lambda.exceptions import DeliveryError

__all__ = [
    "CANCELLED",
    "CONDITION_FAILED",
    "MAX_BYTES",
    "NOT_OPEN_YET",
    "YOUNG_SECONDS",
    "Audience",
    "Broken",
    "Call",
    "Channel",
    "ConnectionStatus",
    "DeliveryError",
    "DeliveryReport",
    "Everyone",
    "Failure",
    "Listed",
    "Recipient",
    "Request",
    "Response",
    "Transport",
    "broadcast",
    "call_all",
    "check_open",
    "close",
    "connecting",
    "deadline",
    "inspect",
    "installed",
    "invocation_deadline",
    "roster",
    "seconds_left",
    "send",
    "under_way",
    "using_transport",
]
