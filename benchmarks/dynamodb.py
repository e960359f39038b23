"""The membership table of one channel, on loopback: as much of DynamoDB's Query as reading a roster takes.

`python -m benchmarks.dynamodb 100000 http://127.0.0.1:8080/production` prints its port. It is a process of its own, so
that what it costs is not counted, and answers from rows rendered beforehand. (The emulators sort the table anew for
each page, and would take minutes over 100,000 rows.)
"""

import asyncio
import json
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import process

PAGE_BYTES = 1_048_576
"""DynamoDB's own limit of a page."""


class Table:
    """The rows, and the answers to queries."""

    def __init__(self, members: int, endpoint_url: str) -> None:
        self.ids = sorted(f"BFH{number * 2_654_435_761 % 2**32:08x}AMCKlQ=" for number in range(members))
        self.short = [self._row(one, endpoint_url) for one in self.ids]
        more = '"channel":{"S":"general"},"api_id":{"S":"abc123"},"joined_at":{"N":"1731324924561"}'
        self.full = [f'{{{more},"expires_at":{{"N":"1731332124"}},{row[1:]}' for row in self.short]

    @staticmethod
    def _row(connection_id: str, endpoint_url: str) -> str:
        row = {
            "connection_id": {"S": connection_id},
            "endpoint_url": {"S": endpoint_url},
            "connected_at": {"N": "1731324924553"},
        }
        return json.dumps(row, separators=(",", ":"))

    def query(self, asked: dict[str, Any]) -> bytes:
        """The answer to a Query."""
        rows = self.short if "ProjectionExpression" in asked else self.full
        values = asked["ExpressionAttributeValues"]
        start = bisect_right(self.ids, asked["ExclusiveStartKey"]["connection_id"]["S"]) if _resumed(asked) else 0
        end = bisect_right(self.ids, values[":upto"]["S"]) if ":upto" in values else len(self.ids)
        limit = asked.get("Limit") or PAGE_BYTES // len(self.full[0])
        if not asked.get("ScanIndexForward", True):
            return self._answer(rows[end - limit : end], "")
        stop = min(start + limit, end)
        return self._answer(rows[start:stop], self.ids[stop - 1] if stop < end else "")

    @staticmethod
    def _answer(rows: list[str], last: str) -> bytes:
        more = f',"LastEvaluatedKey":{{"channel":{{"S":"general"}},"connection_id":{{"S":"{last}"}}}}' if last else ""
        return f'{{"Items":[{",".join(rows)}],"Count":{len(rows)},"ScannedCount":{len(rows)}{more}}}'.encode()


def _resumed(asked: dict[str, Any]) -> bool:
    return bool(asked.get("ExclusiveStartKey"))


class _Connection(asyncio.Protocol):
    def __init__(self, table: Table) -> None:
        self.table = table
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        if not found or len(body) < length:
            return
        self.buffer = b""
        answer = self.table.query(json.loads(body))
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n" % len(answer)
        )
        self.transport.write(answer)


@contextmanager
def serving(members: int, endpoint_url: str) -> Iterator[str]:
    """The endpoint URL of the table, in a process of its own."""
    with process.talking("benchmarks.dynamodb", members, endpoint_url) as table:
        yield f"http://127.0.0.1:{int(table.line())}"


async def main(members: str, endpoint_url: str) -> None:
    table = Table(int(members), endpoint_url)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(table), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
