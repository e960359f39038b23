"""How many exchanges may be in flight, and the one that may go beyond."""

from ws_lambda.delivery.slots import RunSlots, Slots


def test_a_run_with_nothing_in_flight_starts_one_beyond_the_limit() -> None:
    slots = Slots(1)
    assert slots.take(), "another thread has the only slot"
    run = RunSlots(slots)
    assert run.take()
    assert not run.take(), "one is in flight: the next one waits for a slot"
    assert run.in_flight == 1


def test_the_one_beyond_gives_no_slot_back() -> None:
    slots = Slots(1)
    slots.take()
    run = RunSlots(slots)
    run.take()
    run.give()
    assert not slots.take(), "the slot is still the other thread's"
    slots.give()
    assert slots.take()


def test_once_there_is_a_slot_the_run_holds_it_and_the_first_to_end_is_the_one_beyond() -> None:
    slots = Slots(1)
    slots.take()
    run = RunSlots(slots)
    run.take()
    slots.give()
    assert run.take() and run.in_flight == 2
    run.give()
    assert not slots.take(), "the exchange that goes on has the slot"
    run.give()
    assert slots.take()


def test_a_run_that_breaks_off_leaves_the_limit_as_it_was() -> None:
    slots = Slots(2)
    run = RunSlots(slots)
    assert run.take() and run.take() and not run.take()
    run.give_all()
    assert run.in_flight == 0
    assert [slots.take() for _ in range(3)] == [True, True, False]
