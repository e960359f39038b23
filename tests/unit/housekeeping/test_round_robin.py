"""Whose turn it is."""

from collections import Counter

from ws_lambda.housekeeping import round_robin

NOON = 1_800_000_000.0


def test_every_group_has_one_turn_in_half_an_hour_whatever_the_rate() -> None:
    for minutes in (1, 5, 7, 10, 30):
        done, looked = round_robin.turn_at(NOON), Counter[int]()
        for run in range(1, 60 // minutes + 1):
            walked = round_robin.due(done, NOON + run * minutes * 60)
            looked.update(turn % round_robin.TURNS for turn in walked)
            done = walked[-1]
        elapsed = 60 // minutes * minutes
        assert sum(looked.values()) == elapsed
        assert set(looked.values()) <= {elapsed // 30, -(-elapsed // 30)}, minutes


def test_a_second_run_in_the_same_minute_has_nothing_to_do() -> None:
    assert len(round_robin.due(round_robin.turn_at(NOON), NOON + 59)) == 0


def test_after_a_pause_nobody_is_looked_at_twice() -> None:
    walked = round_robin.due(round_robin.turn_at(NOON) - 500, NOON)
    assert len(walked) == round_robin.TURNS
    assert round_robin.groups(walked) == set(range(round_robin.TURNS))


def test_with_nothing_done_and_after_the_clock_was_put_back_the_present_turn_is_due() -> None:
    now = round_robin.turn_at(NOON)
    assert list(round_robin.due(None, NOON)) == list(round_robin.due(now + 5, NOON)) == [now]


def test_all_connections_of_a_user_are_in_one_group_and_the_groups_are_even() -> None:
    assert len({round_robin.group_of("ann", f"C{number}=") for number in range(100)}) == 1
    strangers = Counter(round_robin.group_of("", f"C{number}=") for number in range(30_000))
    users = Counter(round_robin.group_of(str(number), "C=") for number in range(30_000))
    for found in (strangers, users):
        assert set(found) == set(range(round_robin.TURNS))
        assert max(found.values()) < 1.2 * 1_000
