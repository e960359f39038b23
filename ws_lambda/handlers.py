"""Decides which methods of a view clients may call and which one a message is for, and turns results into responses."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeVar, overload

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, JsonResponse

from ws_lambda import json_text
from ws_lambda.exceptions import HandlerMissing, InvalidRequest, PermissionRefused

_F = TypeVar("_F", bound=Callable[..., Any])
_MARK = "_ws_lambda_handler"

ALWAYS_OPEN_TO_SUBCLASSES = frozenset({"default", "change_channel"})
"""Methods of the base class that clients can call if a subclass defines them."""


HANDLER_LISTS = ("ALLOWED_HANDLERS", "ADDITIONAL_ALLOWED_HANDLERS")


@dataclass(frozen=True, slots=True)
class Marked:
    """The arguments of `@handler`."""

    schema: type | None = None


@overload
def handler(function: _F) -> _F: ...


@overload
def handler(*, schema: type | None = None) -> Callable[[_F], _F]: ...


def handler(function: Any = None, *, schema: type | None = None) -> Any:
    """Marks a method as callable by clients, even if it is inherited.

    Args:
        schema: a pydantic model or a dataclass. The body is validated by it, and the instance is `self.data`. An
            invalid body is answered with 400 and the names of the invalid fields.
    """

    def mark(marked: _F) -> _F:
        setattr(marked, _MARK, Marked(schema))
        return marked

    return mark if function is None else mark(function)


def schema_of(method: Callable[..., Any]) -> type | None:
    """Returns the schema of a handler, or None."""
    marked = getattr(method, _MARK, None)
    return marked.schema if isinstance(marked, Marked) else None


def callable_names(view: type, base: type, given: Mapping[str, Any] | None = None) -> frozenset[str]:
    """Returns the names of the methods that clients may call.

    If ALLOWED_HANDLERS is set, these are exactly the methods in it. Otherwise they are the functions that the class
    body defines, the methods in ADDITIONAL_ALLOWED_HANDLERS and the methods marked with `@handler`. A name with a
    leading underscore is never one of them. Neither is a name of the base class, except `default` and `change_channel`
    if the subclass defines them. A function that is only assigned to the class (one from another module, a lambda, a
    second name of a method) must be listed or marked.

    Args:
        view: the view class.
        base: `WebSocketView`.
        given: values of HANDLER_LISTS that an instance overrides.
    """
    exactly, additional = ((given or {}).get(name, getattr(view, name, ())) or () for name in HANDLER_LISTS)
    allowed = set(exactly)
    if not allowed:
        allowed = {name for name in vars(view) if defines(view, name)}
        allowed |= set(additional)
        allowed |= {name for name in dir(view) if isinstance(getattr(getattr(view, name), _MARK, None), Marked)}
        if any(defines(one, "default") for one in view.__mro__[: view.__mro__.index(base)]):
            allowed.add("default")
    closed = set(dir(base)) - ALWAYS_OPEN_TO_SUBCLASSES
    return frozenset(
        name
        for name in allowed
        if not name.startswith("_") and name not in closed and callable(getattr(view, name, None))
    )


def defines(view: type, name: str) -> bool:
    """Whether the body of a class defines a function, according to its `__module__` and `__qualname__`.

    Decorators that use `functools.wraps`, as Django's do, keep both.
    """
    value = vars(view).get(name)
    return (
        isinstance(value, FunctionType)
        and value.__module__ == view.__module__
        and value.__qualname__ == f"{view.__qualname__}.{name}"
    )


def choose(body: Mapping[str, Any], *, names: frozenset[str], handler_key: str, route_key: str, route: str) -> str:
    """Returns the handler for a message: by its handler key, else its route key, else its route, else `default`.

    Raises:
        HandlerMissing: the message names no handler, and there is no `default`.
        InvalidRequest: clients may not call the handler that it names, and there is no `default`.
    """
    named = [body[key] for key in (handler_key, route_key) if key in body]
    for name in named or [route]:
        if isinstance(name, str) and name in names:
            return name
    if "default" in names:
        return "default"
    raise InvalidRequest("Unknown action", action=named[0]) if named else HandlerMissing()


@contextmanager
def denied_is_refused() -> Iterator[None]:
    """Turns Django's PermissionDenied, which a project may raise, into a refusal."""
    try:
        yield
    except PermissionDenied as denied:
        raise PermissionRefused() from denied


def as_response(result: Any) -> HttpResponseBase:
    """Turns the return value of a handler into a response.

    Raises:
        TypeError: the value is not None, a dict or an HttpResponse.
        ValueError: it contains a number that JSON cannot hold: NaN, infinity, or one too large for a double.
    """
    response = JsonResponse(result or {}) if result is None or isinstance(result, dict) else result
    if not isinstance(response, HttpResponseBase):
        raise TypeError(f"A handler returns None, a dict or an HttpResponse, not {type(result).__name__}.")
    if isinstance(response, HttpResponse) and response.headers.get("Content-Type", "").startswith("application/json"):
        json_text.check(response.content)
    return response
