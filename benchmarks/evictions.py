"""Fills a channel of a local run, then has everybody removed: `python -m benchmarks.evictions MEMBERS`.

To be run in the environment of the run (`/env`). The members that are open already stay; to those as many are added as
there are to be, each with a user of its own and no socket, which the gateway tells at its DELETE.
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

CHANNEL = "general"
_AT_ONCE = 25


def main(members: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from ws_lambda.models import ChannelMembership

    open_now = ChannelMembership.count(CHANNEL)
    _fill(members - open_now)
    said = StringIO()
    began, worked = time.perf_counter(), time.process_time()
    call_command("ws_permissions", "set", CHANNEL, "staff_only", stdout=said)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    left = ChannelMembership.count(CHANNEL)
    if left or f"{members} removed." not in said.getvalue():
        raise RuntimeError(f"{left} are still in: {said.getvalue()}")
    print(json.dumps({"members": members, "open": open_now, "seconds": round(took, 1), "cpu_s": round(worked, 1)}))


def _fill(count: int) -> None:
    from ws_lambda import clock
    from ws_lambda.models import ChannelMembership, WebSocketSession
    from ws_lambda.tables.sessions import live_shard
    from ws_lambda.users.user_row import UserRow

    like = next(iter(WebSocketSession.objects.filter(channel_name=CHANNEL)))
    opened = clock.utcnow() - timedelta(minutes=1)
    people, sessions, memberships = [], [], []
    for number in range(count):
        name, one = f"member-{number}", f"B{number:07}="
        people.append(UserRow(name, password="!", is_active=True))
        row = WebSocketSession(
            one, api_id=like.api_id, endpoint_url=like.endpoint_url, channel_name=CHANNEL, channels={CHANNEL},
            user_id=name, auth_backend=like.auth_backend, auth_hash="x" * 64, login_id="x" * 32,
            connect_path=like.connect_path, connected_at=opened, last_seen_at=opened, live_shard=live_shard(one),
            source_ip="127.0.0.1", user_agent="x" * 100, expires_at=opened + timedelta(hours=3),
        )  # fmt: skip
        sessions.append(row)
        memberships.append(ChannelMembership.of(row, CHANNEL))
    for table, rows in ((UserRow, people), (WebSocketSession, sessions), (ChannelMembership, memberships)):
        for batch in _batches(rows):
            with table.batch_write() as writer:  # type: ignore[attr-defined]
                for row in batch:
                    writer.save(row)


def _batches(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]


if __name__ == "__main__":
    main(int(sys.argv[1]))
