"""A DynamoDB that writes as fast as it is asked to, 10 ms away: `python -m benchmarks.prompt_dynamodb UPSTREAM`.

It answers the two requests that closing many consists of by itself, and has the rest done by the one behind it. An
emulator on the same two cores takes longer over those writes than a sender does over everything.
"""

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

from ws_lambda.local.dynamodb_faults import FaultyDynamoDB

SECONDS = 0.01


class PromptDynamoDB(FaultyDynamoDB):
    """The sessions that it is asked about are open, and every transaction succeeds."""

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if operation not in {"BatchGetItem", "TransactWriteItems"}:
            return await super()._forward(request, body)
        await asyncio.sleep(SECONDS)
        answer = _sessions(json.loads(body)) if operation == "BatchGetItem" else {}
        return web.json_response(answer, content_type="application/x-amz-json-1.0")


def _sessions(asked: dict[str, Any]) -> dict[str, Any]:
    from benchmarks.queued import CHANNEL, CONNECTED_AT

    [(table, wanted)] = asked["RequestItems"].items()
    row = {"connected": {"BOOL": True}, "connected_at": {"N": CONNECTED_AT}, "channels": {"SS": [CHANNEL]}}
    return {"Responses": {table: [{**key, **row} for key in wanted["Keys"]]}}


async def main(upstream: str) -> None:
    proxy = PromptDynamoDB(upstream)
    await proxy.start()
    print(proxy.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
