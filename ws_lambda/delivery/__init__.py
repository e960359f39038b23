"""Sending to connections through `@connections`: who, how fast, and what came of it.

A broadcast goes through `sending`, `roster` (who), `broadcasting` and `dispatch` (retries and outcomes),
`connection_requests` and `signing` (the request), then `exchange` and `curl` (the wire). If there are more than
FANOUT_INLINE_MAX recipients, `sending` leaves them to `job_queue`, whose worker is `ws_lambda.fanout`.

Nothing here knows a model: connections that are gone are handed back to the caller.
"""

from ws_lambda.deadlines import deadline, invocation_deadline, seconds_left
from ws_lambda.delivery import roster
from ws_lambda.delivery.audiences import Audience, ChannelMembers, Everyone, Listed
from ws_lambda.delivery.broadcasting import broadcast, close, inspect
from ws_lambda.delivery.calls import CANCELLED, CONDITION_FAILED, Call, call_all
from ws_lambda.delivery.connecting import check_open, connecting, under_way
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
    "ChannelMembers",
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
