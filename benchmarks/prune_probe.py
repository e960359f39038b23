"""One hour of the schedule over a population, counted: requests to API Gateway, requests to DynamoDB and their units.

`python benchmarks/prune_probe.py '{"checkout": "/path", ...}'` with DynamoDB at AWS_ENDPOINT_URL_DYNAMODB. The checkout
is the one that is measured, so that one of another day is measured by the same program: it uses no other benchmark.
"""

import json
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

EVERY, RUNS = 300, 12
"""Seconds between two runs, and how many make an hour."""

ENDPOINT = "https://abcdef1234.execute-api.us-east-1.amazonaws.com/production"
STATUS = b'{"connectedAt":"2026-11-22T10:00:00Z","identity":{},"lastActiveAt":"2026-11-22T10:05:00Z"}'
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
READS = {"GetItem", "BatchGetItem", "Query", "Scan"}


def configure(*, in_dynamodb: bool) -> None:
    """A project without SQL. Its users and sessions may also be such as cost no request to DynamoDB, as in SQL."""
    import django
    from django.conf import settings

    backend = "ws_lambda.users.backends.DynamoDBBackend" if in_dynamodb else f"{__name__}.Elsewhere"
    engine = "ws_lambda.session_store" if in_dynamodb else "django.contrib.sessions.backends.signed_cookies"
    settings.configure(
        SECRET_KEY="a-secret-of-fifty-characters-that-opens-nothing-at-all",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "ws_lambda.users", "ws_lambda"],
        DATABASES={},
        AUTH_USER_MODEL="ws_lambda_users.User",
        AUTHENTICATION_BACKENDS=[backend],
        SESSION_ENGINE=engine,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        WS_LAMBDA={"FANOUT_MAX_RPS": 0, "UNLISTED_CHANNELS": "authenticated"},
    )
    django.setup()
    from django.urls import path

    from ws_lambda.views import WebSocketView

    globals()["urlpatterns"] = [path("ws/<slug:route>", WebSocketView.as_view())]


class Elsewhere:
    """Users that are kept in SQL, as far as DynamoDB can tell."""

    people: dict[str, Any] = {}

    def get_user(self, user_id: Any) -> Any:
        return self.people[str(user_id)]


class Counting:
    """What is asked of DynamoDB and of API Gateway."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()

    def listen(self, session: Any) -> None:
        session.register("before-parameter-build.dynamodb", self._ask)
        session.register("after-call.dynamodb", self._note)

    def _ask(self, params: dict[str, Any], model: Any, **_more: Any) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _note(self, parsed: dict[str, Any], model: Any, **_more: Any) -> None:
        used = parsed.get("ConsumedCapacity", [])
        units = sum(one["CapacityUnits"] for one in (used if isinstance(used, list) else [used]))
        self.units["read" if model.name in READS else "write"] += units
        self.requests["dynamodb"] += 1

    def exchange(self, request: Any) -> Any:
        from ws_lambda import delivery

        self.requests["api_gateway"] += 1
        return delivery.Response(200, STATUS)


def populate(asked: dict[str, Any], now: float) -> list[str]:
    """Opens the connections, evenly over the hour before; the ids of those that talk."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password

    from ws_lambda.events import EventType, GatewayEvent
    from ws_lambda.models.opening import new_session, open_session

    users: list[Any] = []
    logins: list[dict[str, Any]] = []
    password = make_password("one for all")
    count, talkers = asked["connections"], []
    for number in range(count):
        if number % asked["per_user"] == 0:
            user = get_user_model()(username=f"user-{number:07}@example.com", email=f"u{number}@example.com")
            user.password = password
            users.append(user)
            logins.append(_login(user, in_dynamodb=asked["in_dynamodb"]))
        # Those of a user are opened at times that have nothing to do with each other.
        opened = now - 3600 * (number * 7919 % count) / count
        event = GatewayEvent(
            type=EventType.CONNECT, route_key="$connect", connection_id=f"BFHP{number:07}AMCKlQ=", api_id="abcdef1234",
            source_ip="203.0.113.9", user_agent=BROWSER, connected_at=int(opened * 1000),
        )  # fmt: skip
        session = new_session(event, endpoint_url=ENDPOINT, channel_name=f"room-{number // 20:05}")
        session.user_id, session.auth_backend = str(users[-1].pk), logins[-1]["auth_backend"]
        for name, value in logins[-1].items():
            if name in type(session).get_attributes():
                setattr(session, name, value)
        open_session(session)
        if number % 100 < asked["talking"]:
            talkers.append(session.connection_id)
    return talkers


def _login(user: Any, *, in_dynamodb: bool) -> dict[str, Any]:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from ws_lambda.tables.tokens import digest

    found = {
        "auth_backend": settings.AUTHENTICATION_BACKENDS[0],
        "auth_hash": user.get_session_auth_hash(),
        "connect_path": "/ws/connect",
    }
    if not in_dynamodb:
        Elsewhere.people[str(user.pk)] = user
        login = digest(str(user.pk))
        return found | {"session_key_hash": login, "login_id": login}
    user.save(force_insert=True)
    from ws_lambda.session_store import SessionStore

    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), found["auth_backend"]
    store[HASH_SESSION_KEY] = found["auth_hash"]
    store.create()
    login, proof = digest(str(store.session_key)), None
    try:
        from ws_lambda.gatekeeping.logins import login_of, proof_of_login
    except ImportError:  # before logins were looked for in their session engine
        pass
    else:
        login, proof = login_of(store), proof_of_login(store)
        store.save()
    return found | {"session_key_hash": login, "login_id": login, "login_proof": proof}


def hour(asked: dict[str, Any]) -> dict[str, Any]:
    """The counts of an hour, after a run that is not counted."""
    import inspect

    from ws_lambda import aws, clock, delivery, housekeeping
    from ws_lambda.models import WebSocketSession
    from ws_lambda.testing import tables

    moment = [clock.now() // 60 * 60 + 5]
    clock.now = lambda: moment[0]
    scheduled: dict[str, Any] = {"whole": False} if "whole" in inspect.signature(housekeeping.run).parameters else {}
    counting = Counting()
    counting.listen(aws.session())
    with tables(), delivery.using_transport(counting):
        talkers = populate(asked, moment[0])
        housekeeping.run(**scheduled)
        counting.units.clear()
        counting.requests.clear()
        for _run in range(RUNS):
            moment[0] += EVERY
            heard = WebSocketSession.last_seen_at.set(clock.utcnow() - timedelta(seconds=60))
            spent = counting.units.copy(), counting.requests.copy()
            for one in talkers:
                WebSocketSession(one).update([heard])
            counting.units, counting.requests = spent
            pruned = housekeeping.run(**scheduled)
            assert pruned.complete, pruned
            assert pruned.expired == pruned.gone == pruned.orphans == pruned.evicted == pruned.unchecked == 0, pruned
    return {**{f"{name}_units": value for name, value in counting.units.items()}, **counting.requests}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    sys.path.insert(0, asked["checkout"])
    sys.modules["prune_probe"] = sys.modules["__main__"]
    __name__ = "prune_probe"
    configure(in_dynamodb=asked["in_dynamodb"])
    print(json.dumps(hour(asked)))
