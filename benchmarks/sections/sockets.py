"""10,000 real WebSocket connections on the local gateway, 10 ms away, under AWS's quota of 10,000 requests a second.

The floor is AWS's arithmetic: 10,000 posts at 10,000 a second are a second. With the sockets, it is mostly the local
gateway that is measured, in Python and checking every signature; so the same send is made once more with nginx, just as
far away, in the gateway's place.
"""

import json
import resource
from typing import Any

from benchmarks import nginx, process

CLIENTS = 10_000
MESSAGE = {"type": "tick"}
FLOOR = 1.0


def measure() -> dict[str, Any]:
    """The section of results.json."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = min(CLIENTS, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, clients + 500), hard))
    if clients < CLIENTS:
        print(f"  this machine allows {hard} open files: {clients} connections instead of {CLIENTS}")
    frame = len(json.dumps(MESSAGE, separators=(",", ":"))) + 2
    with process.talking("benchmarks.gateway") as gateway:
        port = int(gateway.line())
        with process.talking("benchmarks.crowd", port, clients, frame) as crowd:
            assert crowd.line() == "ready"
            gateway.tell("ids")
            ids = json.loads(gateway.line())
            assert len(ids) == clients
            sent = process.run("benchmarks.crowd_sender", f"http://127.0.0.1:{port}/production", stdin=json.dumps(ids))
            last_at, too_much = crowd.line().split()
            assert too_much == "0", "somebody got it twice"
    with nginx.serving() as far:
        alone = process.run("benchmarks.crowd_sender", far.endpoint("plain_10ms"), stdin=json.dumps(ids))
    return {
        "connections": clients,
        "sender_seconds": round(alone["seconds"], 2),
        "seconds_to_reach_all": round(float(last_at) - sent["started"], 2),
        "floor_seconds": FLOOR * clients / CLIENTS,
        "throttled_then_retried": sent["throttled"],
    }


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    floor = f"floor {result['floor_seconds']:g} s at 10,000 rps"
    count = f"{result['connections']:,}"
    return [
        (f"{count} sockets, 10 ms away", f"{result['seconds_to_reach_all']} s", f"local gateway in Python; {floor}"),
        (f"{count} sends, 10 ms away", f"{result['sender_seconds']} s", f"nginx instead; {floor}"),
    ]
