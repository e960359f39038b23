"""Sending to connections through `@connections`: who, how fast, and what came of it.

A broadcast goes through `sending`, `roster` (who), `broadcasting` and `dispatch` (retries and outcomes),
`connection_requests` and `signing` (the request), then `pumps` and `curl` (the wire). If there are more than
FANOUT_INLINE_MAX recipients, `sending` leaves them to `job_queue`, whose worker is `ws_lambda.fanout`.

A 410 arrives in `dispatch`, which retries young connections. `broadcasting` collects the others and passes them to the
caller, since nothing here knows a model. `ws_lambda.models.batch_closing.close_gone` closes their sessions.

Other rooms import only what is listed here.
"""

from ws_lambda.deadlines import deadline, invocation_deadline, seconds_left
from ws_lambda.delivery import roster
from ws_lambda.delivery.audiences import Audience, ChannelMembers, Everyone, Listed
from ws_lambda.delivery.broadcasting import broadcast, close, inspect
from ws_lambda.delivery.calls import CANCELLED, CONDITION_FAILED, Call, Calls, call_all
from ws_lambda.delivery.connecting import check_open, connecting, under_way
from ws_lambda.delivery.exchange import Broken, Request, Response, Transport
from ws_lambda.delivery.job_queue import hold_over, requeue
from ws_lambda.delivery.jobs import Job, recipients_of
from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.delivery.outcomes import (
    NOT_OPEN_YET,
    YOUNG_SECONDS,
    ConnectionStatus,
    DeliveryReport,
    Failure,
    Recipient,
)
from ws_lambda.delivery.pacing import slowed_to, worker_pace
from ws_lambda.delivery.payload import MAX_BYTES, encode
from ws_lambda.delivery.progress import OnProgress, Progress
from ws_lambda.delivery.pumps import installed, using_transport
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
    "Calls",
    "ChannelMembers",
    "ConnectionStatus",
    "DeliveryError",
    "DeliveryReport",
    "Everyone",
    "Failure",
    "Job",
    "KeyRange",
    "Listed",
    "OnProgress",
    "Progress",
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
    "encode",
    "hold_over",
    "inspect",
    "installed",
    "invocation_deadline",
    "recipients_of",
    "requeue",
    "roster",
    "seconds_left",
    "send",
    "slowed_to",
    "under_way",
    "using_transport",
    "worker_pace",
]
