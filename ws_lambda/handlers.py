"""Which methods of a view clients may call, which one a message asks for, and what comes of calling it."""

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
"""Names of the base class that a subclass may open to clients by defining them."""


HANDLER_LISTS = ("ALLOWED_HANDLERS", "ADDITIONAL_ALLOWED_HANDLERS")


@dataclass(frozen=True, slots=True)
class Marked:
    """What `@handler` was told."""

    schema: type | None = None


@overload
def handler(function: _F) -> _F: ...


@overload
def handler(*, schema: type | None = None) -> Callable[[_F], _F]: ...


def handler(function: Any = None, *, schema: type | None = None) -> Any:
    """Marks a method as callable by clients, wherever it is inherited from.

    Args:
        schema: a pydantic model or a dataclass that the body must fit; the instance is `self.data`. A body that
            does not fit is answered with 400 and the names of the fields that are wrong.
    """

    def mark(marked: _F) -> _F:
        setattr(marked, _MARK, Marked(schema))
        return marked

    return mark if function is None else mark(function)


def schema_of(method: Callable[..., Any]) -> type | None:
    """The schema that a handler was marked with."""
    marked = getattr(method, _MARK, None)
    return marked.schema if isinstance(marked, Marked) else None


def callable_names(view: type, base: type, given: Mapping[str, Any] | None = None) -> frozenset[str]:
    """The methods of a view class that clients may call.

    Exactly ALLOWED_HANDLERS where it is set; else the functions defined in the class's own body, those named in
    ADDITIONAL_ALLOWED_HANDLERS and those marked `@handler`. Never a name with a leading underscore, never a name of the
    base class, but for `default` and `change_channel` where the subclass provides them. What is only assigned to the
    class (a function from elsewhere, a lambda, a second name of a method) has to be listed or marked.

    Args:
        given: those of HANDLER_LISTS that one instance has of its own.
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
    """Whether a class has a function of that name in its own body, as the function itself says.

    A decorator that uses `functools.wraps`, as Django's do, keeps that.
    """
    value = vars(view).get(name)
    return (
        isinstance(value, FunctionType)
        and value.__module__ == view.__module__
        and value.__qualname__ == f"{view.__qualname__}.{name}"
    )


def choose(body: Mapping[str, Any], *, names: frozenset[str], handler_key: str, route_key: str, route: str) -> str:
    """The handler that a message asks for: by its handler key, else its action, else its route, else `default`.

    Raises:
        HandlerMissing: the message names nothing and there is no `default`.
        InvalidRequest: what it names may not be called and there is no `default`.
    """
    named = [body[key] for key in (handler_key, route_key) if key in body]
    for name in named or [route]:
        if isinstance(name, str) and name in names:
            return name
    if "default" in names:
        return "default"
    raise InvalidRequest("Unknown action") if named else HandlerMissing()


@contextmanager
def denied_is_refused() -> Iterator[None]:
    """Django's own PermissionDenied, wherever a project raises it, is a refusal like any other."""
    try:
        yield
    except PermissionDenied as denied:
        raise PermissionRefused() from denied


def as_response(result: Any) -> HttpResponseBase:
    """What a handler returned, as an answer.

    Raises:
        TypeError: it is none of the things that a handler may return.
        ValueError: it has a number that is no JSON: a NaN, an infinity, one that no double holds.
    """
    response = JsonResponse(result or {}) if result is None or isinstance(result, dict) else result
    if not isinstance(response, HttpResponseBase):
        raise TypeError(f"A handler returns None, a dict or an HttpResponse, not {type(result).__name__}.")
    if isinstance(response, HttpResponse) and response.headers.get("Content-Type", "").startswith("application/json"):
        json_text.check(response.content)
    return response
