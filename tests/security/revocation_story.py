"""One story, run with users of `ws_lambda.users` in the test run and by SQL users in a project of their own."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from ws_lambda import housekeeping
from ws_lambda.testing import ConnectRefused, InProcessGateway, WebSocketTestClient


class Person:
    """A user who has logged in, has opened a socket, and has one more token."""

    def __init__(self, name: str) -> None:
        self.user = get_user_model().objects.create_user(name, password=f"first-{name}")
        self.http = Client()
        assert self.http.login(username=name, password=f"first-{name}")
        self.spare = self.token()
        self.socket = WebSocketTestClient(token=self.token()).connect()

    def token(self) -> str:
        """A token, from the page that mints them."""
        token: str = self.http.post("/api/ws-token/").json()["token"]
        return token

    def may_come_back(self) -> bool:
        """Whether the token at hand still opens a connection."""
        try:
            WebSocketTestClient(token=self.spare).connect().disconnect()
        except ConnectRefused as refused:
            assert refused.status == 401
            return False
        return True


def log_out(person: Person) -> None:
    person.http.logout()


def deactivate(person: Person) -> None:
    person.user.is_active = False
    person.user.save(update_fields=["is_active"])


def change_password(person: Person) -> None:
    person.user.set_password("second")
    person.user.save()


def delete(person: Person) -> None:
    person.user.delete()


def story(gateway: InProcessGateway, unsignalled: Callable[[Any], object]) -> None:
    """Every way in which a login ends.

    Args:
        unsignalled: deactivates a user in a way that Django sends no signal for.
    """
    bystander = Person("bystander")
    for end in (log_out, deactivate, change_password, delete):
        person = Person(end.__name__)
        end(person)
        assert (person.socket.connected, person.socket.close_code) == (False, 1000), end.__name__
        assert not person.may_come_back(), end.__name__

    person = Person("put_out")
    person.socket.session.disconnect()
    assert not person.socket.connected
    assert person.may_come_back(), "a login that goes on may connect again"

    person = Person("unsignalled")
    unsignalled(person.user)
    assert not person.may_come_back()
    person.socket.send_json({"action": "chat"})
    assert person.socket.connected, "asked once in REVALIDATE_USER_SECONDS"
    gateway.advance(61)
    person.socket.send_json({"action": "chat"})
    assert not person.socket.connected

    person = Person("silent")
    unsignalled(person.user)
    housekeeping.run()
    assert person.socket.connected, "it would not have been asked yet, had it spoken"
    gateway.advance(61)
    assert housekeeping.run().evicted == 1
    assert (person.socket.connected, person.socket.close_code) == (False, 1000)

    bystander.socket.send_json({"action": "chat"})
    assert bystander.socket.connected
