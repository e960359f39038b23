"""`WebSocketSession.objects`: finding connections, and sending to them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Generic, Self, TypeVar

from django.core.exceptions import FieldError, MultipleObjectsReturned

from ws_lambda import channels, delivery
from ws_lambda.models import disconnecting
from ws_lambda.models.batch_closing import close_gone
from ws_lambda.models.recipients import recipient_of
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.sessions import LIVE_SHARDS, SessionRow, is_listed_open

Session = TypeVar("Session", bound=SessionRow)

LOOKUPS = ("api_gateway", "channel_name", "connected", "connection_id", "user")
"""The lookups of `filter`. Several are combined with AND."""

NOTHING = {"connection_id": ""}
"""The lookup of a selection that is empty, because no connection has an empty id."""

_BATCH = 100
"""Keys in one BatchGetItem."""


class BaseSessionQuerySet(Generic[Session]):
    """A lazy, immutable selection of sessions.

    The lookups decide what is read: one item for a connection id, the roster for a channel, an index for a user, and
    another index for `connected=True`. Only `all()` and `connected=False` read the whole table.
    """

    def __init__(self, model: type[Session], **lookups: Any) -> None:
        """
        Args:
            model: the class of what is selected.
        """
        self.model = model
        self._lookups = lookups

    def __repr__(self) -> str:
        asked = ", ".join(f"{name}={value!r}" for name, value in sorted(self._lookups.items()))
        return f"<{type(self).__name__} {asked or 'all'}>"

    def all(self) -> Self:
        """Every session that is still kept, including closed ones."""
        return type(self)(self.model, **self._lookups)

    def filter(self, **lookups: Any) -> Self:
        """Narrows the selection.

        Args:
            channel_name: a channel that the connection is in. Only open connections are in channels; "" selects none.
            connected: whether the connection is open.
            user: a user, or their primary key.
            connection_id: API Gateway's id of the connection.
            api_gateway: a gateway record, or an API id.

        Raises:
            FieldError: there is no such lookup, or `connected` is neither True nor False.
        """
        cleaned = {}
        for name, value in lookups.items():
            if name not in LOOKUPS:
                raise FieldError(f"Sessions cannot be filtered by {name!r}. Supported: {', '.join(LOOKUPS)}.")
            cleaned[name] = _plain(name, value)
        clash = [name for name, value in cleaned.items() if value == "" or self._lookups.get(name, value) != value]
        if "channel_name" in clash and cleaned["channel_name"] and self._lookups["channel_name"]:
            raise FieldError(
                "A selection can have only one channel. To ask for a second one, filter the sessions in Python."
            )
        return type(self)(self.model, **self._lookups | cleaned | (NOTHING if clash else {}))

    def __bool__(self) -> bool:
        """Whether any session is selected, as with Django's querysets."""
        return self.exists()

    def __iter__(self) -> Iterator[Session]:
        keys = self._keys()
        while batch := list(islice(keys, _BATCH)):
            yield from (one for one in self.model.batch_get(batch) if self._selects(one))

    def get(self, **lookups: Any) -> Session:
        """The one session selected.

        Raises:
            WebSocketSession.DoesNotExist: there is none.
            WebSocketSession.MultipleObjectsReturned: there are several.
        """
        found = list(islice(self.filter(**lookups), 2))
        if not found:
            raise self.model.DoesNotExist("No WebSocketSession matches the query.")
        if len(found) > 1:
            raise MultipleObjectsReturned("More than one WebSocketSession matches the query.")
        return found[0]

    def first(self) -> Session | None:
        """Any one of the sessions selected, or None."""
        return next(iter(self), None)

    def exists(self) -> bool:
        """Whether any session is selected."""
        return self.first() is not None

    def count(self) -> int:
        """How many sessions are selected. DynamoDB counts them where it can."""
        asked = set(self._lookups)
        if asked == {"channel_name"} or (asked == {"channel_name", "connected"} and self._lookups["connected"]):
            return sum(map(ChannelMembership.count, channels.shard_keys(self._lookups["channel_name"])))
        if asked == {"connected"} and self._lookups["connected"]:
            return sum(map(self.model.live.count, LIVE_SHARDS))
        return sum(1 for _ in self)

    def send_message(self, data: Any) -> delivery.DeliveryReport:
        """Sends to every open connection selected, each through its own gateway.

        Args:
            data: anything that Django's JSON encoder accepts, or a string, which is sent as it is.

        Returns:
            The outcome for every recipient. The sessions of connections that are gone are closed.

        Raises:
            ValueError: the message is over 131,072 bytes, or contains NaN. Nothing was sent.
            NotOpenYet: the selection is, by its id, a connection whose `connect` is still running.
        """
        delivery.check_open(self._lookups.get("connection_id", ""))
        name = self._lookups.get("channel_name", "")
        return delivery.send(self.audience(), data, on_gone=partial(close_gone, channel_name=name))

    def disconnect(self, progress: disconnecting.Progress | None = None) -> delivery.DeliveryReport:
        """Closes every open session selected, and its socket.

        If a deadline comes first, the report is `unread`. Then, and after an error, the schedule closes the rest.

        Args:
            progress: called with the report so far, after every 500 connections.

        Raises:
            DeliveryError: some sessions could not be closed.
        """
        return disconnecting.disconnect(self._lookups, self.recipients(), progress)

    def recipients(self) -> Iterator[delivery.Recipient]:
        """The open connections selected, as recipients of messages."""
        for row in self._rows(open_only=True):
            yield recipient_of(row)

    def close_gone(self, recipients: Sequence[delivery.Recipient], *, channel_name: str = "") -> int:
        """Closes the sessions of connections that API Gateway no longer knows. Returns how many it closed."""
        return close_gone(recipients, channel_name=channel_name)

    def audience(self) -> delivery.Audience:
        """The audience of a message. A whole channel, or everyone, can be sent to through the queue."""
        asked = set(self._lookups)
        if self._lookups.get("connected", True):
            if asked - {"connected"} == {"channel_name"}:
                return delivery.ChannelMembers(self._lookups["channel_name"])
            if not asked - {"connected"}:
                return delivery.Everyone()
        return delivery.Listed(self.recipients())

    def _keys(self) -> Iterator[str]:
        """The keys of candidates. `_selects` then decides about each."""
        if "connection_id" in self._lookups:
            return iter([self._lookups["connection_id"]] if self._lookups["connection_id"] else [])
        return (row.connection_id for row in self._rows(open_only=bool(self._lookups.get("connected"))))

    def _rows(self, *, open_only: bool) -> Iterator[Any]:
        """Rows of the cheapest table or index that has the whole selection."""
        asked = self._lookups
        if open_only and asked.get("connected") is False:
            return iter(())
        if "connection_id" in asked:
            named = [asked["connection_id"]] if asked["connection_id"] else []
            found = self.model.batch_get(named)
            return (row for row in found if self._selects(row) and (row.connected or not open_only))
        rows: Iterable[Any]
        if "channel_name" in asked and asked.get("connected", True):
            shards = channels.shard_keys(asked["channel_name"])
            rows = (row for shard in shards for row in ChannelMembership.query(shard))
        elif "user" in asked:
            rows = self.model.by_user.query(asked["user"])
        elif open_only:
            rows = (row for shard in LIVE_SHARDS for row in self.model.live.query(shard))
        else:
            rows = self.model.scan()
        return (row for row in rows if self._row_selected(row, open_only))

    def _row_selected(self, row: Any, open_only: bool) -> bool:
        """Whether a row is selected, as far as its attributes tell. Rows of an index have only some attributes."""
        if open_only and isinstance(row, SessionRow) and not is_listed_open(row):
            return False
        same_user = self._lookups.get("user", row.user_id) == row.user_id
        return same_user and bool(self._lookups.get("api_gateway", row.api_id) == row.api_id)

    def _selects(self, session: Session) -> bool:
        """Whether a full session is selected."""
        asked = self._lookups
        if asked.get("connected", session.connected) != session.connected:
            return False
        name = asked.get("channel_name")
        member = name is None or name in (session.channels or ())
        return member and self._row_selected(session, open_only=False)


def _plain(name: str, value: Any) -> Any:
    """The stored form of a lookup's value."""
    match name:
        case "user":
            key = getattr(value, "pk", value)
            return "" if key is None else str(key)  # the anonymous user selects nothing
        case "api_gateway":
            return str(getattr(value, "api_id", value))
        case "connected" if not isinstance(value, bool):
            raise FieldError(f"connected must be True or False, not {value!r}.")
        case "connected":
            return value
    return str(value)
