"""Makes moto's DynamoDB several times as fast: a test's reads and writes are most of its time.

The package's own clients call moto as functions instead of by HTTP: no signature, no headers, no JSON of the answer.
And moto reads an expression once, instead of twice for each request and again for each of its parts.
"""

import functools
import json
import os
import pickle
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest import mock

from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from ws_lambda import aws

OPERATIONS = frozenset(
    {
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
        "TransactWriteItems", "UpdateItem",
    }
)  # fmt: skip
EVENT = "before-call"


@contextmanager
def without_http(turns: AbstractContextManager[Any]) -> Iterator[None]:
    """For the time of a `with` block, in which clients must be made. Requests wait for their turn.

    What fails, and what has binary values in it, goes the long way after all: errors and encodings stay moto's own.
    """

    def answer(model: Any, params: dict[str, Any], context: dict[str, Any], **_kwargs: object) -> Any:
        if model.service_model.service_name != "dynamodb" or model.name not in OPERATIONS:
            return None
        if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ:
            return None  # `dynamodb_faults` wants them on the wire
        body = params["body"]
        if b'"B"' in body or b'"BS"' in body:
            return None
        with turns:
            try:
                found = _ask(model, json.loads(body), context["client_region"])
            except Exception:
                return None  # the long way fails as well, with the error that a client is to see
        return AWSResponse(params["url"], 200, HTTPHeaders(), None), found

    events = aws.session().get_component("event_emitter")
    events.register_last(EVENT, answer)
    try:
        yield
    finally:
        events.unregister(EVENT, answer)


@contextmanager
def quick_expressions() -> Iterator[None]:
    """Expressions are parsed once and copied quickly, for the time of a `with` block."""
    with ExitStack() as patches:
        for where, name, quick in _quick_updates() + _quick_conditions():
            patches.enter_context(mock.patch.object(where, name, quick))
        yield


def _quick_updates() -> list[tuple[Any, str, Any]]:
    """What is to stand where in moto: nothing, if its insides are others. It is slower then, and right all the same."""
    try:
        from moto.dynamodb.parsing import ast_nodes, expressions, validators

        parser, traverser = vars(expressions)["UpdateExpressionParser"], vars(ast_nodes)["DepthFirstTraverser"]
        counter, parse, types = validators.ActionCountValidator, parser.make, traverser.nodes_to_be_processed
        verify = counter.verify_action_counts
    except (ImportError, AttributeError, KeyError):
        return []

    @functools.lru_cache
    def parsed(text: str) -> Any:
        # One tree for all who ask: nothing changes a tree but the validators, and they copy it first.
        tree = parse(text)
        tree._pickled = pickle.dumps(tree)
        return tree

    def copied(one: Any) -> Any:
        """Of such a tree, or of what an item holds: that changes."""
        return pickle.loads(getattr(one, "_pickled", None) or pickle.dumps(one))  # noqa: S301

    def types_once(one: Any) -> Any:
        kept = vars(one)
        if "_types" not in kept:
            kept["_types"] = types(one)
        return kept["_types"]

    parts = [
        (parser, "make", parsed),
        (traverser, "nodes_to_be_processed", types_once),
        (validators, "deepcopy", copied),
        # The root has every clause below it; moto counts them at each of its descendants again.
        (counter, "traverse", verify),
    ]
    return parts if all(hasattr(where, name) for where, name, _quick in parts) else []


def _quick_conditions() -> list[tuple[Any, str, Any]]:
    """The same for conditions, which moto parses to see what they name, and again to see whether they hold."""
    try:
        from moto.dynamodb import comparisons

        parser = vars(comparisons)["ConditionExpressionParser"]
        parse, lex = parser.parse, parser._lex_condition_expression
    except (ImportError, AttributeError, KeyError):
        return []
    lexed = functools.lru_cache(lambda text: tuple(lex(parser(text, None, None))))

    @functools.lru_cache
    def parsed(text: str, names: bytes, values: bytes) -> tuple[Any, list[str], list[str]]:
        # With copies of the values: those of a request may end up in a table, and change there.
        one = parser(text, pickle.loads(names), pickle.loads(values))  # noqa: S301
        return parse(one), one.expr_attr_names_found, one.expr_attr_values_found

    def parse_once(one: Any) -> Any:
        if not one.condition_expression:
            return parse(one)
        names, values = one.expression_attribute_names, one.expression_attribute_values
        condition, names_found, values_found = parsed(
            one.condition_expression, pickle.dumps(names), pickle.dumps(values)
        )
        one.expr_attr_names_found.extend(names_found)
        one.expr_attr_values_found.extend(values_found)
        return condition

    return [
        (parser, "parse", parse_once),
        (parser, "_lex_condition_expression", lambda one: deque(lexed(one.condition_expression))),
    ]


def _ask(model: Any, asked: dict[str, Any], region: str) -> dict[str, Any]:
    """What moto answers, as botocore would have parsed it."""
    from moto.dynamodb.responses import DynamoHandler

    handler = DynamoHandler()
    handler.headers, handler.querystring, handler.region = {}, {}, region
    handler.current_account = handler.get_current_account()
    handler.body = handler.params = asked
    result = getattr(handler, xform_name(model.name))().result
    known = model.output_shape.members
    found = {name: _copy(value) for name, value in result.items() if name in known and value is not None}
    return found | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


def _copy(value: Any) -> Any:
    """A copy that shares nothing with moto's tables."""
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
