"""Logs as JSON, and metrics in CloudWatch's embedded metric format, for a deployed function.

Both are lines on standard output, so they need no request to AWS. They contain ids, but never a body or a token.
Outside of Lambda this module does nothing, and the project's own logging applies.

Metrics, in the namespace `ws_lambda` with the dimension `service` (the function's name):

    Connects, ConnectsRefused (answered 4xx), ConnectsFailed (5xx), Messages, Disconnects
    Refusals of connects and messages (also by `reason`), Failures of handlers
    Deliveries, Gone, Failed, Queued, QueueDepth
    HandlerTime (milliseconds), ColdStarts, PruneRuns, Pruned
    Unchecked (connections that could not be revalidated)
"""

import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

NAMESPACE = "ws_lambda"


class _Invocation:
    """The metrics of one invocation. A Lambda environment answers one event at a time."""

    def __init__(self) -> None:
        self.counted: dict[str, float] = {}
        self.refusals: list[str] = []
        self.started = time.perf_counter()


class _Telemetry:
    """The state of the process. Only `start` on Lambda sets the formatter."""

    formatter: Any = None
    current: _Invocation | None = None
    cold = True


_state = _Telemetry()


def start() -> None:
    """Makes all loggers of the process write JSON, and turns the metrics on. Does nothing outside of Lambda."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ or _state.formatter is not None:
        return
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

    _state.formatter = LambdaPowertoolsFormatter(service=_service(), json_default=str)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_state.formatter)
    root = logging.getLogger()
    # Lambda installs a handler whose lines are not JSON.
    root.handlers[:] = [handler]
    root.setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    # At INFO, botocore logs where it found credentials on every cold start. At DEBUG, both log the data they store.
    for name in ("botocore", "pynamodb"):
        logging.getLogger(name).setLevel(logging.WARNING)


def stop() -> None:
    """Turns JSON logs and metrics off again."""
    _state.formatter = _state.current = None
    _state.cold = True


@contextmanager
def invocation(**ids: str) -> Iterator[None]:
    """Adds ids to every log line of an event, and writes the metrics of the event at the end.

    Inside another `invocation`, it only adds ids.

    Args:
        ids: `connection_id`, `route`, `request_id` and so on. Empty ones are left out.
    """
    if _state.formatter is None:
        yield
        return
    if _state.current is not None:
        _state.formatter.append_keys(**_given(ids))
        yield
        return
    _state.current = _Invocation()
    _state.formatter.append_keys(**_given(ids))
    try:
        yield
    finally:
        _flush(_state.current)
        _state.current = None
        _state.formatter.clear_state()


def count(metric: str, value: float = 1) -> None:
    """Adds to a metric of the current event."""
    if _state.current is not None:
        counted = _state.current.counted
        counted[metric] = counted.get(metric, 0) + value


def refused(reason: str) -> None:
    """Counts a refused connect or message, also by its reason."""
    if _state.current is not None:
        count("Refusals")
        _state.current.refusals.append(reason)


def _given(ids: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in ids.items() if value}


def _service() -> str:
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "ws_lambda")


def _flush(invocation: _Invocation) -> None:
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics(namespace=NAMESPACE, service=_service())
    for name, value in invocation.counted.items():
        metrics.add_metric(name, MetricUnit.Count, value)
    metrics.add_metric("HandlerTime", MetricUnit.Milliseconds, (time.perf_counter() - invocation.started) * 1000)
    if _state.cold:
        metrics.add_metric("ColdStarts", MetricUnit.Count, 1)
        _state.cold = False
    metrics.flush_metrics()
    for reason in invocation.refusals:
        by_reason = EphemeralMetrics(namespace=NAMESPACE, service=_service())
        by_reason.add_dimension("reason", reason)
        by_reason.add_metric("Refusals", MetricUnit.Count, 1)
        by_reason.flush_metrics()
