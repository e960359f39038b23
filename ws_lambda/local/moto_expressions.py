"""Makes moto parse an expression once, instead of twice for each request and again for each of its parts.

`ws_local` and the test kit use this.
"""

import functools
import pickle
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock


@contextmanager
def quick_expressions() -> Iterator[None]:
    """Parses expressions once and copies them quickly, for the time of a `with` block."""
    with ExitStack() as patches:
        for where, name, quick in _quick_updates() + _quick_conditions():
            patches.enter_context(mock.patch.object(where, name, quick))
        yield


def _quick_updates() -> list[tuple[Any, str, Any]]:
    """The replacements in moto. There are none if its internals have changed; it is then slower, but still correct."""
    try:
        from moto.dynamodb.parsing import ast_nodes, expressions, validators

        parser, traverser = vars(expressions)["UpdateExpressionParser"], vars(ast_nodes)["DepthFirstTraverser"]
        walk = _walking(vars(ast_nodes)["Node"])
        counter, parse = validators.ActionCountValidator, parser.make
        verify, overlaps = counter.verify_action_counts, validators.OverlappingPathsValidator
        verify_paths, traverse = overlaps.check_for_overlapping_paths, traverser.traverse
    except (ImportError, AttributeError, KeyError):
        return []

    @functools.lru_cache
    def parsed(text: str) -> Any:
        # One tree for all callers: only the validators change a tree, and they copy it first.
        tree = parse(text)
        tree._pickled = pickle.dumps(tree)
        return tree

    def copied(one: Any) -> Any:
        """A copy of such a tree, or of a value in an item."""
        return pickle.loads(getattr(one, "_pickled", None) or pickle.dumps(one))  # noqa: S301

    def verify_paths_once(one: Any, root: Any) -> Any:
        try:
            return verify_paths(one, root)
        except Exception:
            return traverse(one, root)  # the error names what is in the innermost clause

    parts = [
        (parser, "make", parsed),
        (traverser, "traverse_node_recursively", walk),
        (validators, "deepcopy", copied),
        # The root has every clause below it. moto would look through them again for each of its descendants.
        (counter, "traverse", verify),
        (overlaps, "traverse", verify_paths_once),
    ]
    return parts if all(hasattr(where, name) for where, name, _quick in parts) else []


def _walking(node_class: Any) -> Any:
    """A walk through a tree like moto's, but it checks each class only once, because abstract classes are slow."""

    def walk(one: Any, node: Any, child_id: int = -1) -> Any:
        known = vars(one).setdefault("_known", {})
        kind = type(node)
        if kind not in known:
            known[kind] = issubclass(kind, node_class), issubclass(kind, one.nodes_to_be_processed())
        is_node, is_processed = known[kind]
        if is_node:
            parent = node.parent
            for position, child in enumerate(node.children or ()):
                one.pre_processing_of_child(node, position)
                walk(one, child, position)
            if is_processed:
                node = one.process(node)
                node.parent = parent
                if parent:
                    parent.children[child_id] = node
        return node

    return walk


def _quick_conditions() -> list[tuple[Any, str, Any]]:
    """The same for conditions, which moto parses once for their names and again to evaluate them."""
    try:
        from moto.dynamodb import comparisons

        parser = vars(comparisons)["ConditionExpressionParser"]
        parse, lex = parser.parse, parser._lex_condition_expression
    except (ImportError, AttributeError, KeyError):
        return []
    lexed = functools.lru_cache(lambda text: tuple(lex(parser(text, None, None))))

    @functools.lru_cache
    def parsed(text: str, names: bytes, values: bytes) -> tuple[Any, list[str], list[str]]:
        # With copies of the values: the values of a request may end up in a table, and change there.
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
