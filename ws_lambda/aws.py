"""One botocore session for the whole process.

Making a client costs 40-100 ms, most of it reading service models; one session reads each of them once.
Endpoints and credentials come from the environment as for any AWS tool, `AWS_ENDPOINT_URL_DYNAMODB` and its
sisters included.
"""

import os
import threading
from typing import Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config

NO_TABLE = "ResourceNotFoundException"
NO_TABLE_ADVICE = "`manage.py ws_tables status` shows the missing ones, `manage.py ws_tables create` makes them."
"""What DynamoDB says of a table that is not there, and what to do."""

_lock = threading.RLock()
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
    """The AWS region: the environment's, else the profile's.

    Raises:
        botocore.exceptions.NoRegionError: where neither names one.
    """
    named = os.environ.get("AWS_REGION") or session().get_config_variable("region")
    if not named:
        from botocore.exceptions import NoRegionError

        raise NoRegionError()
    return str(named)


def client(service: str) -> Any:
    """The shared, thread-safe client of an AWS service (`"sqs"`, `"apigatewayv2"`), made on first use."""
    with _lock:
        if service not in _clients:
            config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard"})
            _clients[service] = session().create_client(service, region_name=region(), config=config)
        return _clients[service]


def forget() -> None:
    """Drops session and clients, so that the next use reads the environment again (tests, SnapStart restore)."""
    global _session
    with _lock:
        _session = None
        _clients.clear()


def _after_fork() -> None:
    """In the child: a thread of the parent may have had the lock, and the clients' connections are the parent's."""
    global _lock
    _lock = threading.RLock()
    forget()


os.register_at_fork(after_in_child=_after_fork)
