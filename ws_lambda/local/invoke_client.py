"""Invokes the function in the worker process over a Unix socket, with Lambda's own Invoke call.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from typing import Any

import aiohttp

from ws_lambda.local.api_definition import Event
from ws_lambda.local.errors import IntegrationError

PATH = "/2015-03-31/functions/local/invocations"
FUNCTION_ERROR = "X-Amz-Function-Error"


class WorkerFunction:
    """The function, as the gateway sees it."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._http: aiohttp.ClientSession | None = None

    async def __call__(self, event: Event) -> Any:
        """What the function returned.

        Raises:
            IntegrationError: the function raised, or its process ended.
        """
        try:
            async with self._session().post("http://function" + PATH, json=event) as answer:
                returned = await answer.json()
        except aiohttp.ClientError as lost:
            raise IntegrationError(f"the process of the function ended: {lost}") from lost
        if FUNCTION_ERROR in answer.headers:
            detail = returned if isinstance(returned, dict) else {}
            raise IntegrationError(f"{detail.get('errorType')}: {detail.get('errorMessage')}")
        return returned

    async def close(self) -> None:
        """Closes the connections to the worker."""
        if self._http is not None:
            await self._http.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            # The gateway's concurrency quota is the limit. Connections are not kept, so an event that is sent during
            # a restart waits for the new worker instead of dying with the old one.
            connector = aiohttp.UnixConnector(self._socket_path, limit=0, force_close=True)
            timeout = aiohttp.ClientTimeout(total=None)
            self._http = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._http
