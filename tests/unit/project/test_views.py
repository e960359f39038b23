"""The demo's WebSocket view, by the events that API Gateway sends."""

import json
from collections.abc import Callable
from typing import Any

from project.chat.views import MAX_MESSAGE_LENGTH
from tests import wire
from tests.far_side import FarSide

Enter = Callable[..., None]


def say(text: Any, message_id: str = "m1", connection_id: str = "C1=") -> dict[str, Any]:
    body = {"action": "chat_message", "message": text, "id": message_id}
    status, said = wire.answer(wire.message(body, connection_id))
    assert status == 200
    return dict(said)


def history(after: Any = None, connection_id: str = "C1=") -> dict[str, Any]:
    _status, said = wire.answer(wire.message({"action": "history", "after": after}, connection_id))
    return dict(said)


def frames(gateway: FarSide, connection_id: str) -> list[dict[str, Any]]:
    return [json.loads(body) for body in gateway.bodies[connection_id]]


def test_a_message_reaches_everyone_in_the_room_and_nobody_else(enter: Enter, gateway: FarSide) -> None:
    enter("red", "C1=")
    enter("blue", "C2=")
    enter("blue", "C3=", room="support")
    answer = say("  Hello  ")
    assert answer["ack"] == "m1"
    assert frames(gateway, "C1=") == frames(gateway, "C2=")
    [frame] = frames(gateway, "C2=")
    assert frame.pop("sent_at").startswith("20")
    assert frame == {"type": "message", "message": "Hello", "id": "m1", "sender": "red", "sequence": answer["sequence"]}
    assert frames(gateway, "C3=") == []


def test_a_message_that_will_not_do_is_refused_to_its_sender(enter: Enter, gateway: FarSide) -> None:
    enter("red", "C1=")
    for text in ("", "   ", "x" * (MAX_MESSAGE_LENGTH + 1)):
        assert say(text, "m2")["nack"] == "m2"
    assert gateway.requests == []
    assert history()["messages"] == []


def test_a_body_of_odd_types_is_no_error(enter: Enter) -> None:
    enter("red", "C1=")
    status, said = wire.answer(wire.message({"action": "chat_message", "message": ["a"], "id": {"b": 1}}))
    assert (status, "ack" in said) == (200, True)


def test_history_is_what_was_said_lately_or_since(enter: Enter) -> None:
    enter("red", "C1=")
    first, second, third = (say(text)["sequence"] for text in ("one", "two", "three"))
    assert [message["sequence"] for message in history()["messages"]] == [first, second, third]
    missed = history(first)
    assert [message["message"] for message in missed["messages"]] == ["two", "three"]
    assert (missed["recovered"], missed["more"]) == (True, False)


def test_history_that_is_gone_says_so(enter: Enter) -> None:
    enter("red", "C1=")
    first = say("one")["sequence"]
    assert history(first - 10)["recovered"] is False


def test_after_is_a_number_or_history_starts_anew(enter: Enter) -> None:
    enter("red", "C1=")
    say("one")
    for after in ("1", 1.5, True, [], {}):
        assert [message["message"] for message in history(after)["messages"]] == ["one"]


def test_history_fits_in_one_reply_and_goes_on_in_the_next(enter: Enter) -> None:
    enter("red", "C1=")
    text = "\N{BELL}" * MAX_MESSAGE_LENGTH
    sequences = [say(text, f"m{number}")["sequence"] for number in range(12)]
    latest = history()
    assert latest["messages"][-1]["sequence"] == sequences[-1]
    assert 0 < len(latest["messages"]) < 12
    read, page = [], history(sequences[0])
    while True:
        assert len(json.dumps(page)) < 131_072
        read += [message["sequence"] for message in page["messages"]]
        if not page["more"]:
            break
        page = history(read[-1])
    assert read == sequences[1:]


def test_ping_is_answered(enter: Enter) -> None:
    enter("red", "C1=")
    assert wire.answer(wire.message({"action": "ping"})) == (200, {"type": "pong"})


def test_everyone_is_told_who_is_here(enter: Enter, gateway: FarSide) -> None:
    enter("red", "C1=")
    enter("blue", "C2=")
    enter("blue", "C3=")
    wire.message({"action": "enter"}, "C2=")
    assert frames(gateway, "C1=") == [{"type": "presence", "people": ["blue", "red"]}]
    wire.disconnect("C2=")
    wire.disconnect("C3=")
    assert [frame["people"] for frame in frames(gateway, "C1=")] == [["blue", "red"], ["blue", "red"], ["red"]]


def test_leaving_twice_or_unknown_is_no_error(enter: Enter, gateway: FarSide) -> None:
    enter("red", "C1=")
    for connection_id in ("C1=", "C1=", "C9="):
        assert wire.disconnect(connection_id)["statusCode"] == 200
    assert gateway.requests == []


def test_browsers_can_call_only_what_is_meant_for_them(enter: Enter) -> None:
    enter("red", "C1=")
    for action in ("connect", "_announce", "disconnect", "people_in", "as_view"):
        assert (action, wire.message({"action": action})["statusCode"]) == (action, 400)
