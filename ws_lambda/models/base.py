"""What every table has in common: a late-bound name and one shared connection to DynamoDB."""

import random
import time
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

import botocore.session
from botocore.exceptions import ConnectionClosedError, HTTPClientError
from pynamodb.connection import Connection, TableConnection
from pynamodb.exceptions import PynamoDBException, VerboseClientError
from pynamodb.models import Model

from ws_lambda import aws, process_state
from ws_lambda.conf import conf
from ws_lambda.models import own_work
from ws_lambda.process_state import Occasion

_COLLISIONS = {"TransactionConflictException", "TransactionInProgressException"}
"""A single write met a transaction on the same item, and nothing was written; or a transaction met its own earlier
attempt, which is not over yet. botocore does not try again.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

_ATTEMPTS = 6

_CUT_SECONDS = 3.0
"""How long a request whose connection is cut is made again beyond botocore's own attempts. Those are only one where
many requests have failed lately, and a write that nobody knows the outcome of is worse than one more attempt.
"""

_lock = process_state.Lock()
_shared: Connection | None = None


class SharedConnection(Connection):
    """PynamoDB's connection, on the process's one botocore session instead of one session per thread."""

    @property
    def session(self) -> botocore.session.Session:
        return aws.session()

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Makes a request. A write whose answer was lost, and that DynamoDB did, has been done: see `own_work`."""
        own_work.ask_for_items(operation_name, operation_kwargs)
        if operation_name == "TransactWriteItems":
            operation_kwargs.setdefault("ClientRequestToken", uuid4().hex)  # one for all attempts
        failures, cut, began = 0, False, time.monotonic()
        while True:
            try:
                return super().dispatch(operation_name, operation_kwargs)
            except HTTPClientError as lost:
                vars(lost)["response"] = {}  # which PynamoDB reads as if there always was one
                failures, cut = failures + 1, True
                late = time.monotonic() - began > _CUT_SECONDS
                if late or failures == _ATTEMPTS or not isinstance(lost, ConnectionClosedError):
                    raise
            except VerboseClientError as error:
                if own_work.done_before(operation_name, operation_kwargs, error, again=cut):
                    return {}
                code = own_work.response_code(error)
                if code == aws.NO_TABLE:
                    error.add_note(aws.NO_TABLE_ADVICE)
                failures += 1
                if code not in _COLLISIONS or failures == _ATTEMPTS:
                    raise
            time.sleep(random.uniform(0, 0.01 * 2**failures))  # noqa: S311 - jitter, not a secret


def condition_failed(error: PynamoDBException | VerboseClientError) -> bool:
    """Whether a conditional write was turned down because the item is not as it demands: somebody was faster."""
    return own_work.response_code(error) == "ConditionalCheckFailedException"


def connection() -> Connection:
    """The connection that all tables use; transactions across tables need it by name."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = SharedConnection(region=aws.region(), connect_timeout_seconds=3, read_timeout_seconds=5)
            _shared.client  # noqa: B018 - made here, under the lock: botocore makes clients one at a time
        return _shared


def forget_connection() -> None:
    """Drops the connection, so that the next use reads endpoint, region and credentials again."""
    global _shared
    with _lock:
        _shared = None


process_state.register(forget_connection, Occasion.TEST, Occasion.FORK)


class TableMeta(type):
    """Makes `Meta.table_name` follow `TABLE_PREFIX` at the time of use."""

    name: str

    @property
    def table_name(cls) -> str:
        return conf.TABLE_PREFIX + cls.name


class Table(Model):
    """Base of every table.

    A subclass names itself:

        class Meta(metaclass=TableMeta):
            name = "sessions"
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        shared = connection()
        if table.connection is not shared:
            if table.table_name not in shared._tables:
                shared.add_meta_table(table.get_meta_table())
            table.connection = shared
        return table


def batch_read(wanted: Iterable[tuple[type["Table"], Mapping[str, str]]]) -> dict[type["Table"], Any]:
    """Reads at most one item for each of several classes in one consistent BatchGetItem.

    Args:
        wanted: pairs of a class and the item's key, by attribute name. All key attributes are strings. Classes may
            share a table.

    Returns:
        The items found, by class; an item that is not there is absent.
    """
    asked = [(table, {name: {"S": value} for name, value in key.items()}) for table, key in wanted]
    request: dict[str, Any] = {}
    for table, key in asked:
        request.setdefault(table.Meta.table_name, {"ConsistentRead": True, "Keys": []})["Keys"].append(key)
    found: dict[type[Table], Any] = {}
    while request:
        answer = connection().dispatch("BatchGetItem", {"RequestItems": request})
        for name, items in answer["Responses"].items():
            for item in items:
                for table, key in asked:
                    if table.Meta.table_name == name and key.items() <= item.items():
                        found[table] = table.from_raw_data(item)
        request = answer.get("UnprocessedKeys") or {}
    return found
