"""Django's session engine on DynamoDB: `SESSION_ENGINE = "ws_lambda.session_store"`.

It needs the table `django_sessions` and nothing else of this package: neither an entry in INSTALLED_APPS nor
the user model. Every operation is one DynamoDB request, `cycle_key` on a stored session two. The async
methods are those of `SessionBase`, which run these in a thread: botocore has no async client.

A session is there while its time has not come, whether or not DynamoDB has got round to deleting the item.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, SessionBase, UpdateError
from django.dispatch import Signal
from django.utils import timezone
from django.utils.crypto import get_random_string
from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from ws_lambda import clock
from ws_lambda.exceptions import SessionTooLarge
from ws_lambda.tables.shared_connection import condition_failed
from ws_lambda.tables.table import Table, TableMeta

MAX_ITEM_BYTES = 400_000
"""The largest item, attribute names included. AWS says "400 KB"; this is the careful reading of it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

MIN_KEY_LENGTH = 8
"""The shortest key that Django accepts from a cookie."""

MAX_KEY_BYTES = 2048
"""The longest partition key. DynamoDB answers a longer one, such as a forged cookie's, with an error."""


class DjangoSession(Table):
    """One login or anonymous session, as Django's session middleware keeps it."""

    class Meta(metaclass=TableMeta):
        name = "django_sessions"

    session_key = UnicodeAttribute(hash_key=True)
    """What the session cookie carries."""

    session_data = UnicodeAttribute()
    """The session's dict, serialised and signed by `SessionBase.encode`."""

    expires_at = TTLAttribute()
    """When the session ends, in whole seconds. The TTL deletes it days later, so readers compare the time."""


_NUMBER_BYTES = 21
_OTHER_BYTES = sum(len(name) for name in DjangoSession.get_attributes()) + _NUMBER_BYTES

key_changed = Signal()
"""A session has a new key, and is stored under it. Arguments: `session`."""


def _is_possible(key: str) -> bool:
    """Whether a session may have that key. A cookie may hold anything."""
    try:
        return len(key) >= MIN_KEY_LENGTH and len(key.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


def _find(key: str) -> DjangoSession | None:
    """The unexpired session of that key."""
    if not _is_possible(key):
        return None
    try:
        found = DjangoSession.get(key, consistent_read=True)
    except DjangoSession.DoesNotExist:
        return None
    return found if found.expires_at > clock.utcnow() else None


class SessionStore(SessionBase):
    """A session in DynamoDB. Reads are strongly consistent: a login is seen by the very next request."""

    def _validate_session_key(self, key: str | None) -> bool:
        """Treats an impossible key as none at all. `SessionBase` asks at every assignment."""
        return key is not None and _is_possible(key)

    def _get_new_session_key(self) -> str:
        """A random key. It is not looked up first: `create` writes only where nothing is."""
        return get_random_string(32, VALID_KEY_CHARS)

    async def _aget_new_session_key(self) -> str:
        return self._get_new_session_key()

    def _expires_at(self) -> datetime:
        """When the session ends, by the package's clock and always aware."""
        expires = self.get_expiry_date(modification=clock.utcnow())
        if timezone.is_naive(expires):  # `set_expiry` stores local time where USE_TZ is off
            expires = timezone.make_aware(expires, timezone.get_default_timezone())
        return expires.astimezone(UTC)

    def exists(self, session_key: str) -> bool:
        """Whether there is an unexpired session of that key."""
        return _find(session_key) is not None

    def load(self) -> dict[str, Any]:
        """The stored dict; empty, and the key forgotten, where there is none or its time has come."""
        found = _find(self.session_key) if self.session_key else None
        if found is None:
            self._session_key = None
            return {}
        return self.decode(found.session_data)

    @classmethod
    def load_many(cls, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The dicts that are stored of those keys, as they were a moment ago: a request per hundred, at half price."""
        found = DjangoSession.batch_get([key for key in keys if _is_possible(key)])
        now, store = clock.utcnow(), cls()
        return {one.session_key: store.decode(one.session_data) for one in found if one.expires_at > now}

    def create(self) -> None:
        """Stores the session under a new key."""
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def cycle_key(self) -> None:
        """Changes the key and keeps the data, as Django does, and tells of it by `key_changed`."""
        super().cycle_key()
        key_changed.send(sender=type(self), session=self)

    async def acycle_key(self) -> None:
        """See `cycle_key`."""
        await sync_to_async(self.cycle_key)()

    def save(self, must_create: bool = False) -> None:
        """Stores the session, never bringing back one that is gone.

        Raises:
            CreateError: `must_create`, and the key is taken.
            UpdateError: not `must_create`, and the session was deleted or has expired meanwhile.
            SessionTooLarge: it is more than a DynamoDB item holds.
        """
        if self.session_key is None:
            self.create()
            return
        data = self.encode(self._get_session(no_load=must_create))  # type: ignore[attr-defined] # stubs lack it
        key = self.session_key  # read again: loading forgets the key of a session that is gone
        if key is None:
            raise UpdateError
        size = len(key.encode()) + len(data) + _OTHER_BYTES
        if size > MAX_ITEM_BYTES:
            raise SessionTooLarge(
                f"The session takes {size:,} bytes, and a DynamoDB item holds {MAX_ITEM_BYTES:,}. "
                "Keep large data elsewhere and its key in the session."
            )
        condition: Condition = DjangoSession.expires_at > clock.utcnow()
        if must_create:
            condition = DjangoSession.session_key.does_not_exist()
        try:
            DjangoSession(key, session_data=data, expires_at=self._expires_at()).save(condition)
        except PutError as error:
            if not condition_failed(error):
                raise
            raise (CreateError if must_create else UpdateError) from error

    def delete(self, session_key: str | None = None) -> None:
        """Deletes the session of that key, by default this one. One that is not there is no error."""
        key = self.session_key if session_key is None else session_key
        if key is not None and _is_possible(key):
            DjangoSession(key).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Deletes what has expired, for `manage.py clearsessions`.

        It reads the whole table. DynamoDB's TTL does the same at no cost, a few days late, so a deployed
        project need not run it. No condition is needed: an expired session can never be saved again.
        """
        expired = DjangoSession.expires_at <= clock.utcnow()
        with DjangoSession.batch_write() as batch:
            for item in DjangoSession.scan(expired, attributes_to_get=["session_key"]):
                batch.delete(item)
