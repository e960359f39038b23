"""Members who lose a right together leave channels many at a time."""

from collections import Counter
from typing import Any

import pytest

from tests import backends
from tests.far_side import FarSide
from tests.flows.evicting.conftest import agreed, close, enter, rostered
from ws_lambda import delivery, housekeeping
from ws_lambda.gatekeeping import permission_changes
from ws_lambda.models import unfinished_work

pytestmark = pytest.mark.usefixtures("ws_tables")

MEMBERS = 134


def lose_rights(side: FarSide, count: int, users: int) -> list[str]:
    """So many staff members, each in `general` and in a channel for staff, who are no staff any more; their ids."""
    close("staff")
    enter(side, count, "staff", users=users, connect_path="/ws/connect")
    return list(backends.people)


def test_members_of_a_group_are_judged_together(there: FarSide, people: Any, asked: list[str]) -> None:
    ids = lose_rights(there, MEMBERS, 60)
    before = backends.DictBackend.reads
    asked.clear()

    judged = permission_changes.revalidate_users(ids)

    requests = Counter(asked)
    assert (judged.evicted, judged.removed, judged.unchecked) == (0, MEMBERS, 0)
    assert backends.DictBackend.reads - before == 60
    assert requests["TransactWriteItems"] == 3
    assert requests.total() <= 15
    assert {channel for channel, _one in rostered()} == {"general"}
    agreed()


def test_members_of_a_group_for_whom_there_is_no_time_are_left_to_the_schedule(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = lose_rights(there, 60, 60)
    monkeypatch.setattr(permission_changes, "SECONDS", 0)
    monkeypatch.setattr(permission_changes, "_NOTED_TOGETHER", 40)
    assert permission_changes.revalidate_users(ids).removed == 0
    assert len(unfinished_work.everything()) == 2
    runs = 0
    while unfinished_work.everything():
        housekeeping.run(0)
        runs += 1
    assert runs == 3, "at least some users of one note in every run"
    assert {channel for channel, _one in rostered()} == {"general"}
    agreed()


def test_members_of_a_group_who_could_not_be_judged_are_the_schedules(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> Any:
        raise ConnectionError("the users' database is away")

    ids = lose_rights(there, 12, 6)
    with monkeypatch.context() as patch:
        patch.setattr(permission_changes, "revalidate_many", fail)
        with pytest.raises(ConnectionError):
            permission_changes.revalidate_users(ids)
    housekeeping.run(0)
    assert unfinished_work.everything() == []
    assert {channel for channel, _one in rostered()} == {"general"}
    agreed()


def test_a_failed_close_does_not_keep_others_in_the_channel(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_recipients: Any) -> Any:
        raise delivery.DeliveryError("DynamoDB is away")

    ids = lose_rights(there, 12, 6)
    people[ids[0]].is_active = False
    monkeypatch.setattr("ws_lambda.gatekeeping.batch_revalidation.disconnect_all", fail)
    with pytest.raises(delivery.DeliveryError, match="away"):
        permission_changes.revalidate_users(ids)
    assert len([1 for channel, _one in rostered() if channel == "staff"]) == 2, "the two that were to be closed"
    agreed()
