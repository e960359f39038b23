"""R6: pruning works with every `$disconnect` lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import everybodys_turn, members, open_ids, open_one
from ws_lambda import housekeeping
from ws_lambda.deadlines import MARGIN
from ws_lambda.delivery import dispatch
from ws_lambda.models import ChannelMembership, cursors
from ws_lambda.testing import LambdaContext

pytestmark = pytest.mark.usefixtures("ws_tables")


def test_everything_is_closed_although_no_message_could_be_sent(far_side: FarSide) -> None:
    for number in range(25):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
        open_one(far_side, f"old{number}=", age=timedelta(hours=3))
    pruned = housekeeping.run()
    assert (pruned.asked, pruned.gone, pruned.expired, pruned.complete) == (25, 25, 25, True)
    assert open_ids() == members() == set()


def test_open_connections_stay_and_young_ones_are_not_checked(far_side: FarSide) -> None:
    far_side.behave = lambda connection_id, _before: 200 if connection_id == "here=" else 410
    open_one(far_side, "here=", age=timedelta(minutes=30))
    open_one(far_side, "gone=", age=timedelta(minutes=30))
    open_one(far_side, "new=", age=timedelta(minutes=1))
    housekeeping.run()
    assert open_ids() == members() == {"here=", "new="}
    assert set(far_side.asked) == {"here=", "gone="}
    assert {method for method, *_rest in far_side.requests} == {"GET"}


def test_no_answer_closes_nobody(far_side: FarSide) -> None:
    far_side.behave = lambda _id, _before: 403
    open_one(far_side, "hidden=", age=timedelta(minutes=30))
    pruned = housekeeping.run()
    assert (pruned.gone, pruned.unknown) == (0, 1)
    assert open_ids() == {"hidden="}


def test_orphaned_memberships_go_and_those_of_another_generation_too(far_side: FarSide) -> None:
    far_side.behave = lambda _id, _before: 200
    here = open_one(far_side, "here=", age=timedelta(minutes=1))
    row = ChannelMembership.get("general", "here=")
    fields = {
        name: getattr(row, name) for name in ("endpoint_url", "api_id", "joined_at", "expires_at", "connected_at")
    }
    ChannelMembership("general", "nobody=", **fields).save()
    before = {**fields, "connected_at": here.connected_at - timedelta(hours=1)}
    ChannelMembership("earlier", "here=", **before).save()
    pruned = housekeeping.run()
    assert pruned.orphans == 2
    assert [(row.channel, row.connection_id) for row in ChannelMembership.scan()] == [("general", "here=")]


@pytest.mark.usefixtures("graceful")
def test_a_run_that_is_cut_short_goes_on_where_it_stopped(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping.paging, "PAGE", 5)
    for number in range(40):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    runs = 0
    closed = 0
    while True:
        pruned = housekeeping.run(0)
        runs += 1
        closed += pruned.gone
        assert pruned.asked <= 5, "one page and no more, when there is no time"
        if pruned.complete:
            break
        assert cursors.read("prune whole")
    assert runs > 8
    assert closed == 40
    assert open_ids() == members() == set()
    assert cursors.read("prune whole") == {}


@pytest.mark.usefixtures("graceful")
def test_a_scheduled_run_ends_before_lambda_ends_it(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping.paging, "PAGE", 5)
    for number in range(20):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))

    class Left(LambdaContext):
        def __init__(self, seconds: float) -> None:
            self.seconds = MARGIN + housekeeping.GRACE + seconds

        def get_remaining_time_in_millis(self) -> int:
            return int(self.seconds * 1000)

    everybodys_turn()
    assert housekeeping.prune({}, Left(0))["complete"] is False
    assert len(open_ids()) >= 15
    assert housekeeping.prune({}, Left(24))["complete"] is True
    assert open_ids() == members() == set()


def test_a_gateway_that_does_not_answer_does_not_delay_the_run(
    far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "TIMEOUT", 60.0)
    far_side.behave = lambda _id, _before: "hang"
    for number in range(5):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    started = time.monotonic()
    pruned = housekeeping.run(0)
    assert time.monotonic() - started < dispatch.TIMEOUT
    assert pruned.gone == 0
    assert len(open_ids()) == 5


def test_two_runs_at_once_close_each_session_once(far_side: FarSide) -> None:
    for number in range(30):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: housekeeping.run(), range(2)))
    assert sum(pruned.gone for pruned in both) == 30
    assert open_ids() == members() == set()


RULE = "arn:aws:events:eu-west-1:123456789012:rule/demo-dev-prune-ws_lambda.housekeeping.prune"


@pytest.mark.parametrize(
    "event",
    [{"detail-type": "Scheduled Event", "resources": [RULE]}, {"ws_lambda": "prune"}],
    ids=["a rule that Zappa made", "the input of any other schedule"],
)
def test_a_schedule_calls_it_through_the_function(far_side: FarSide, event: dict[str, Any]) -> None:
    from ws_lambda.lambda_handler import handler

    open_one(far_side, "idle=", age=timedelta(minutes=30))
    everybodys_turn()
    answer: dict[str, Any] = handler(event, LambdaContext())
    assert answer["gone"] == 1
    assert answer["complete"] is True


def test_by_hand(far_side: FarSide) -> None:
    open_one(far_side, "idle=", age=timedelta(minutes=30))
    open_one(far_side, "old=", age=timedelta(hours=3))
    out = StringIO()
    call_command("ws_prune", stdout=out)
    assert out.getvalue().startswith(
        "Closed 2 sessions: 1 older than two hours, 1 whose connection was gone. Asked API Gateway about 1"
    )
    call_command("ws_prune", seconds=0.0, stdout=out)
    assert "Run the command again" not in out.getvalue(), "there was nothing left to do"


@pytest.mark.usefixtures("graceful")
def test_by_hand_with_progress_and_a_limit(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(housekeeping.paging, "PAGE", 5)
    for number in range(20):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    out = Terminal()
    call_command("ws_prune", seconds=0.0, no_color=True, stdout=out)
    assert "Run the command again" in out.getvalue()
    call_command("ws_prune", no_color=True, stdout=out)
    assert out.getvalue().count("\rClosed ") > 3, "a line that is written over, page by page"
    assert "Closed 20 sessions" not in out.getvalue(), "the first run closed some of them"
    assert open_ids() == set()
