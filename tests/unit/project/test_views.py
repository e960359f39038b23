"""The demo's WebSocket view, by what its clients see."""

import json
from collections.abc import Callable
from typing import Any

from project.chat.views import MAX_MESSAGE_LENGTH
from ws_lambda.testing import WebSocketTestClient

Enter = Callable[..., WebSocketTestClient]


def say(client: WebSocketTestClient, text: Any, message_id: Any = "m1") -> dict[str, Any]:
    """Sends a message, and returns the answer to it alone."""
    client.send_json({"action": "chat_message", "message": text, "id": message_id})
    [answer] = [frame for frame in client.receive_all() if frame.get("type") != "message"]
    return dict(answer)


def history(client: WebSocketTestClient, after: Any = None) -> dict[str, Any]:
    client.send_json({"action": "history", "after": after})
    return dict(client.receive_json())


def test_a_message_reaches_everyone_in_the_room_and_nobody_else(enter: Enter) -> None:
    red, blue, elsewhere = enter("red"), enter("blue"), enter("blue", room="support")
    red.send_json({"action": "chat_message", "message": "  Hello  ", "id": "m1"})
    echo, answer = red.receive_json(), red.receive_json()
    frame = blue.receive_json()
    assert frame == echo
    assert frame.pop("sent_at").startswith("20")
    assert frame == {"type": "message", "message": "Hello", "id": "m1", "sender": "red", "sequence": answer["sequence"]}
    assert answer["ack"] == "m1"
    blue.expect_nothing()
    elsewhere.expect_nothing()


def test_a_message_that_will_not_do_is_refused_to_its_sender(enter: Enter) -> None:
    red, blue = enter("red"), enter("blue")
    for text in ("", "   ", "x" * (MAX_MESSAGE_LENGTH + 1)):
        assert say(red, text, "m2")["nack"] == "m2"
    blue.expect_nothing()
    assert history(red)["messages"] == []


def test_a_body_of_odd_types_is_no_error(enter: Enter) -> None:
    assert "ack" in say(enter("red"), ["a"], {"b": 1})


def test_history_has_recent_messages_or_those_since_a_number(enter: Enter) -> None:
    red = enter("red")
    first, second, third = (say(red, text)["sequence"] for text in ("one", "two", "three"))
    assert [message["sequence"] for message in history(red)["messages"]] == [first, second, third]
    missed = history(enter("blue"), first)
    assert [message["message"] for message in missed["messages"]] == ["two", "three"]
    assert (missed["recovered"], missed["more"]) == (True, False)


def test_history_that_is_gone_says_so(enter: Enter) -> None:
    red = enter("red")
    first = say(red, "one")["sequence"]
    assert history(red, first - 10)["recovered"] is False


def test_after_is_a_number_or_history_starts_anew(enter: Enter) -> None:
    red = enter("red")
    say(red, "one")
    for after in ("1", 1.5, True, [], {}):
        assert [message["message"] for message in history(red, after)["messages"]] == ["one"]


def test_history_fits_in_one_reply_and_goes_on_in_the_next(enter: Enter) -> None:
    red = enter("red")
    text = "\N{BELL}" * MAX_MESSAGE_LENGTH
    sequences = [say(red, text, f"m{number}")["sequence"] for number in range(12)]
    latest = history(red)
    assert latest["messages"][-1]["sequence"] == sequences[-1]
    assert 0 < len(latest["messages"]) < 12
    read, page = [], history(red, sequences[0])
    while True:
        assert len(json.dumps(page)) < 131_072
        read += [message["sequence"] for message in page["messages"]]
        if not page["more"]:
            break
        page = history(red, read[-1])
    assert read == sequences[1:]


def test_ping_is_answered(enter: Enter) -> None:
    red = enter("red")
    red.send_json({"action": "ping"})
    assert red.receive_json() == {"type": "pong"}


def test_everyone_is_told_who_is_here(enter: Enter) -> None:
    red, blue, blues_other_window = enter("red"), enter("blue"), enter("blue")
    blue.send_json({"action": "enter"})
    assert red.receive_json() == {"type": "presence", "people": ["blue", "red"]}
    blue.disconnect()
    blues_other_window.disconnect()
    assert [frame["people"] for frame in red.receive_all()] == [["blue", "red"], ["red"]]


def test_everyone_is_told_of_who_logs_out(enter: Enter) -> None:
    red, blue = enter("red"), enter("blue")
    assert blue.session is not None
    blue.session.disconnect()
    red.gateway.advance(1)
    assert [frame["people"] for frame in red.receive_all()] == [["red"]]


def test_the_last_to_leave_is_no_error(enter: Enter) -> None:
    red = enter("red")
    red.vanish()
    [disconnect] = [entry for entry in red.gateway.core.journal.entries if entry.kind == "$disconnect"]
    assert disconnect.status == 200


def test_a_connection_without_a_room_is_no_error(enter: Enter) -> None:
    """The admin's live overview is one."""
    red = enter("red", room=None)
    assert say(red, "Hello")["error"] == "This connection is in no room."
    assert history(red)["messages"] == []
    red.send_json({"action": "enter"})
    red.vanish()
    answers = {entry.kind: entry.status for entry in red.gateway.core.journal.entries}
    assert answers["$disconnect"] == 200


def test_browsers_can_call_only_the_handlers_meant_for_them(enter: Enter) -> None:
    red = enter("red")
    for action in ("connect", "_announce", "disconnect", "people_in", "as_view"):
        red.send_json({"action": action})
        assert (action, red.receive_json()["status"]) == (action, 400)
