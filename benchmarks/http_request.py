"""HTTP requests in a new process, through our own source or Zappa's handler.

    python -m benchmarks.http_request ours

The init phase is the same for both and is not counted. `first_ms` is CPU of the first request, to a page of the
project, with the import and preparation of what answers it. `us` is CPU of a later request, to a WSGI application that
does nothing: what the translation of the event costs. Zappa's handler is kept from logging each request, which costs as
much again.
"""

import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROUNDS, REQUESTS = 15, 400


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """A WSGI application that does nothing."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def main(which: str) -> None:
    said = sys.stdout
    # Logs are written, as on Lambda, and read by nobody.
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        import ws_lambda.lambda_handler  # noqa: F401 - the init phase
        from tests.golden import golden

        event: dict[str, Any] = golden("http/http_api_stage")
        event["rawPath"] = event["requestContext"]["http"]["path"] = "/dev/page"
        event["requestContext"]["http"]["method"] = "GET"
        load = _ours if which == "ours" else _zappas
        started = time.process_time()
        answer = load()
        imported = time.process_time()
        first = answer(event, Context())
        answered = time.process_time()
        if first["statusCode"] != 200:
            raise RuntimeError(f"{which}: {first}")
        result = {"import_ms": (imported - started) * 1000, "first_ms": (answered - started) * 1000}
        result["us"] = _microseconds(_with_nothing_behind(which, answer), event)
    said.write(json.dumps(result) + "\n")


def _ours() -> Callable[..., dict[str, Any]]:
    from ws_lambda.sources import wsgi

    return wsgi.answer


def _zappas() -> Callable[..., dict[str, Any]]:
    packed = ModuleType("zappa_settings")
    for name in ("EXCEPTION_HANDLER", "DOMAIN", "BASE_PATH", "REMOTE_ENV", "SETTINGS_FILE", "APP_TYPE"):
        setattr(packed, name, None)
    for name in ("CONTEXT_HEADER_MAPPINGS", "ENVIRONMENT_VARIABLES", "AWS_EVENT_MAPPING"):
        setattr(packed, name, {})
    vars(packed).update(DEBUG=False, BINARY_SUPPORT=True, LOG_LEVEL="WARNING", API_STAGE="dev", PROJECT_NAME="demo")
    vars(packed).update(DJANGO_SETTINGS=os.environ["DJANGO_SETTINGS_MODULE"])
    sys.modules["zappa_settings"] = packed
    from zappa import handler

    return handler.lambda_handler  # type: ignore[no-any-return]


def _with_nothing_behind(which: str, answer: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The same, with the application that does nothing in the project's place."""
    if which == "ours":
        from django.conf import settings

        from ws_lambda.sources import wsgi

        settings.WSGI_APPLICATION = f"{__spec__.name}.hello"
        wsgi._translated.cache_clear()
    else:
        from zappa.handler import LambdaHandler
        from zappa.middleware import ZappaWSGIMiddleware

        LambdaHandler().wsgi_app = ZappaWSGIMiddleware(hello)
    return answer


def _microseconds(answer: Callable[..., dict[str, Any]], event: dict[str, Any]) -> float:
    """CPU of a request: the median of rounds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(REQUESTS):
            answer(event, Context())
        taken.append((time.process_time() - started) / REQUESTS * 1_000_000)
    return statistics.median(taken)


if __name__ == "__main__":
    main(*sys.argv[1:])
