"""Converts a request of aiohttp for the check of its signature."""

from aiohttp import web

from ws_lambda.local.sigv4 import Request


async def as_signed(request: web.Request) -> Request:
    """The request with its body."""
    raw_path, _, query = request.raw_path.partition("?")
    return Request(
        method=request.method,
        raw_path=raw_path,
        query_string=query,
        headers=decoded_headers(request),
        body=await request.read(),
    )


def decoded_headers(request: web.Request) -> tuple[tuple[str, str], ...]:
    """Names and values as they were sent."""
    return tuple(
        (name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in request.raw_headers
    )
