"""Sends the requests of HTTP integrations, with aiohttp."""

import aiohttp

from ws_lambda.local.api_definition import Answer
from ws_lambda.local.errors import IntegrationError
from ws_lambda.local.integration_http import HttpRequest


class HttpClient:
    """Sends requests to the backends."""

    def __init__(self) -> None:
        self._http: aiohttp.ClientSession | None = None

    async def __call__(self, request: HttpRequest) -> Answer:
        """Makes one exchange. It does not follow redirects, as API Gateway does not.

        Raises:
            IntegrationError: there was no answer.
        """
        if self._http is None:
            # Connections are not kept, so a request that waits for a restarting worker is answered by the new one.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            timeout = aiohttp.ClientTimeout(total=None)
            self._http = aiohttp.ClientSession(connector=connector, timeout=timeout)
        try:
            async with self._http.post(
                request.url, headers=dict(request.headers), data=request.body, allow_redirects=False
            ) as answer:
                body = await answer.read()
        except aiohttp.ClientError as lost:
            raise IntegrationError(f"{request.url} did not answer: {lost}") from lost
        return Answer(status=answer.status, headers=dict(answer.headers), body=body.decode("utf-8", "replace"))

    async def close(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            await self._http.close()
