"""How a repeated write recognises what its first attempt did.

An answer can be lost on its way back. botocore then repeats the request, and a conditional write fails because of its
own first attempt. Each kind of write recognises its own work in another way:

- A put stores the whole item, including a value that nobody else writes. If the stored item is equal, it did it.
- A delete that finds nothing has done its work.
- A transaction has a ClientRequestToken, which DynamoDB remembers for ten minutes.
- An update that counts leaves a mark on the row. The row keeps its last eight marks; see `MARKING`.
- Any other update has the same effect once or twice.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import base64
import hashlib
import itertools
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MARKS = tuple(f"m{number}" for number in range(1, 9))
"""The attributes of a row that keep the marks of its last eight writes, the newest first."""

_NO_MARK = "-"

MARKING = "m1 = :mark, " + ", ".join(
    f"{later} = if_not_exists({newer}, :no_mark)" for newer, later in itertools.pairwise(MARKS)
)
"""The part of the SET clause of an update that counts. DynamoDB evaluates all right-hand sides before it writes."""

NOT_MARKED = f"NOT (:mark IN ({', '.join(MARKS)}))"
"""The part of the condition of an update that counts."""


def mark(text: str = "") -> str:
    """A mark of eight characters: the same for the same text, a random one for none."""
    digest = hashlib.sha256(text.encode()).digest()[:6] if text else secrets.token_bytes(6)
    return base64.urlsafe_b64encode(digest).decode()


def values(of: str) -> dict[str, dict[str, str]]:
    """The expression values that `MARKING` and `NOT_MARKED` need for a mark."""
    return {":mark": {"S": of}, ":no_mark": {"S": _NO_MARK}}


def position(of: str, item: Mapping[str, Any]) -> int | None:
    """How many marked writes came after the one with this mark; None if the row does not have the mark."""
    for later, name in enumerate(MARKS):
        if item.get(name) == {"S": of}:
            return later
    return None


def failed_item(error: BaseException) -> dict[str, Any]:
    """The item that made a condition fail; empty if there is none. PynamoDB keeps it only in the cause of its error."""
    return dict(_response(error).get("Item") or {})


def response_code(error: BaseException) -> str:
    """DynamoDB's error code, such as `ConditionalCheckFailedException`; "" for a network error.

    PynamoDB's `cause_response_code` raises AttributeError for network errors.
    """
    return str(_response(error).get("Error", {}).get("Code", ""))


def done_before(operation: str, request: Mapping[str, Any], error: BaseException, *, again: bool = False) -> bool:
    """Whether a failed write was a repetition, and an earlier attempt has done the work.

    Args:
        again: whether the request was made before. The answer tells of botocore's own attempts.
    """
    response = _response(error)
    if not (again or response.get("ResponseMetadata", {}).get("RetryAttempts")):
        return False
    code = response.get("Error", {}).get("Code")
    if operation == "TransactWriteItems" and code == "TransactionCanceledException":
        asked, reasons = request["TransactItems"], response.get("CancellationReasons", [])
        return any(_is_stored(one.get("Put"), reason.get("Item")) for one, reason in zip(asked, reasons, strict=False))
    if code != "ConditionalCheckFailedException":
        return False
    if operation == "PutItem":
        return _is_stored(request, response.get("Item"))
    return operation == "DeleteItem" and not response.get("Item")


def ask_for_items(operation: str, request: dict[str, Any]) -> None:
    """Asks DynamoDB to return the item that made a condition fail, which costs nothing."""
    writes = [request]
    if operation == "TransactWriteItems":
        writes = [one["Put"] for one in request["TransactItems"] if "Put" in one]
    for write in writes:
        if "ConditionExpression" in write:
            write.setdefault("ReturnValuesOnConditionCheckFailure", "ALL_OLD")


def _response(error: BaseException) -> Mapping[str, Any]:
    """botocore's parsed answer; empty if there was none. Only the innermost error has all of it."""
    found: Mapping[str, Any] = {}
    inner: BaseException | None = error
    while inner is not None:
        found = getattr(inner, "response", None) or found
        inner = getattr(inner, "cause", None) or inner.__cause__
    return found


def _is_stored(put: Mapping[str, Any] | None, item: Mapping[str, Any] | None) -> bool:
    return bool(put and item) and _comparable({"M": (put or {})["Item"]}) == _comparable({"M": item})


def _comparable(value: Mapping[str, Any]) -> Any:
    """An attribute value in a form that can be compared: sets have no order, and 1.0 equals 1."""
    [(kind, content)] = value.items()
    match kind:
        case "N":
            content = Decimal(content)
        case "NS":
            content = {Decimal(one) for one in content}
        case "SS" | "BS":
            content = set(content)
        case "L":
            content = [_comparable(one) for one in content]
        case "M":
            content = {name: _comparable(one) for name, one in content.items()}
    return kind, content
