"""Transactions in which each condition has an exception of its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from ws_lambda.tables import idempotency
from ws_lambda.tables.shared_connection import connection

Part = TypeVar("Part")

MOST_ITEMS = 100
"""Items in one transaction.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

Meaning = type[Exception] | None
"""The exception for an item's failed condition; None for an item without a condition."""


def batched(parts: Iterable[Part], items: Callable[[Part], int], most: int = MOST_ITEMS) -> Iterator[list[Part]]:
    """Splits parts into batches that fit into transactions of `most` items. Each batch has at least one part.

    Args:
        items: how many items a part needs.
    """
    batch, size = list[Part](), 0
    for one in parts:
        if batch and size + items(one) > most:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += items(one)
    if batch:
        yield batch


class Collided(Exception):
    """Another write to one of the items was in progress. Nothing was written, and it is worth another attempt."""


class DecidingWrite(TransactWrite):
    """A transaction that raises the exception of the first condition that failed.

        with DecidingWrite() as transaction:
            transaction.delete(token, WebSocketToken.expires_at > now, means=TokenRefused)
            transaction.save(session, WebSocketSession.connection_id.does_not_exist(), means=DuplicateConnection)

    Raises, at the end of the block:
        Collided: another transaction was faster.
        TransactWriteError: the transaction failed for another reason.
    """

    def __init__(self, client_request_token: str | None = None) -> None:
        super().__init__(client_request_token, connection=connection())
        self._meanings: dict[str, list[Meaning]] = {"check": [], "delete": [], "put": [], "update": []}
        """In the order in which PynamoDB sends the kinds of items, and DynamoDB returns its reasons."""

    def condition_check(
        self, model_cls: Any, hash_key: Any, range_key: Any = None, condition: Condition | None = None, *,
        means: Meaning = None,
    ) -> None:  # fmt: skip
        super().condition_check(model_cls, hash_key, range_key, condition)
        self._meanings["check"].append(means)

    def delete(
        self, model: Model, condition: Condition | None = None, *, add_version_condition: bool = True,
        means: Meaning = None,
    ) -> None:  # fmt: skip
        super().delete(model, condition, add_version_condition=add_version_condition)
        self._meanings["delete"].append(means)

    def save(
        self, model: Model, condition: Condition | None = None, return_values: str | None = None, *,
        means: Meaning = None,
    ) -> None:  # fmt: skip
        super().save(model, condition, return_values)
        self._meanings["put"].append(means)

    def update(
        self, model: Model, actions: Sequence[Action], condition: Condition | None = None,
        return_values: str | None = None, *, add_version_condition: bool = True, means: Meaning = None,
    ) -> None:  # fmt: skip
        super().update(model, list(actions), condition, return_values, add_version_condition=add_version_condition)
        self._meanings["update"].append(means)

    def _commit(self) -> Any:
        try:
            return super()._commit()
        except TransactWriteError as cancelled:
            raise self._why(cancelled) from cancelled

    def _why(self, cancelled: TransactWriteError) -> Exception:
        if idempotency.response_code(cancelled) != "TransactionCanceledException":
            return cancelled
        codes = [reason.code if reason else None for reason in cancelled.cancellation_reasons]
        for meaning, code in zip(chain.from_iterable(self._meanings.values()), codes, strict=False):
            if meaning is not None and code == "ConditionalCheckFailed":
                return meaning()
        return Collided() if "TransactionConflict" in codes else cancelled
