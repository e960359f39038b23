"""One botocore session for the whole process.

Creating a client takes 40-100 ms, most of it for reading service models. One session reads each of them once.
Endpoints and credentials come from the environment, as for any AWS tool. That includes the variables
`AWS_ENDPOINT_URL_<SERVICE>`.
"""

import os
import threading
from typing import Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config

from ws_lambda import process_state
from ws_lambda.process_state import Occasion

NO_TABLE = "ResourceNotFoundException"
NO_TABLE_ADVICE = "`manage.py ws_tables status` shows the missing tables. `manage.py ws_tables create` creates them."
"""DynamoDB's error code for a missing table, and what to do about it."""

THROTTLED = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")
"""DynamoDB's error codes for requests that it would take later."""

CONNECT_SECONDS, READ_SECONDS = 3, 10
"""The timeouts of a connection and of an answer."""

_lock = process_state.Lock(threading.RLock)
_session: botocore.session.Session | None = None
_clients: dict[str, BaseClient] = {}


def session() -> botocore.session.Session:
    """The process-wide botocore session."""
    global _session
    with _lock:
        if _session is None:
            _session = botocore.session.get_session()
        return _session


def region() -> str:
    """The AWS region: from the environment, else from the profile.

    Raises:
        botocore.exceptions.NoRegionError: neither names one.
    """
    named = os.environ.get("AWS_REGION") or session().get_config_variable("region")
    if not named:
        from botocore.exceptions import NoRegionError

        raise NoRegionError()
    return str(named)


def client(service: str) -> Any:
    """The shared, thread-safe client of an AWS service (`"sqs"`, `"apigatewayv2"`), created on first use."""
    with _lock:
        if service not in _clients:
            config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"mode": "standard"})
            _clients[service] = session().create_client(service, region_name=region(), config=config)
        return _clients[service]


def share_client(service: str, client: Any) -> None:
    """Makes `client` return this client for a service from now on."""
    with _lock:
        _clients[service] = client


def forget_client(service: str) -> None:
    """Drops the client of a service, so that the next use reads endpoint and credentials again."""
    with _lock:
        _clients.pop(service, None)


def forget() -> None:
    """Drops session and clients, so that the next use reads the environment again."""
    global _session
    with _lock:
        _session = None
        _clients.clear()


def forget_clients() -> None:
    """Drops the clients. The session keeps the service models that it has read, which saves 200 ms in each test."""
    with _lock:
        _clients.clear()


process_state.register(forget_clients, Occasion.TEST)
process_state.register(forget, Occasion.FORK)
