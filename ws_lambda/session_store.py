"""Django's session engine on DynamoDB: `SESSION_ENGINE = "ws_lambda.session_store"`.

It needs only the table `django_sessions`: neither an entry in INSTALLED_APPS nor the user model. Every operation is one
DynamoDB request, `cycle_key` of a stored session two. The async methods are those of `SessionBase`, which run the
others in a thread, because botocore has no async client.

A session ends at its expiry time, even if DynamoDB has not deleted the item yet.
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
"""The largest item, including attribute names. AWS says "400 KB"; this is the stricter reading.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

MIN_KEY_LENGTH = 8
"""The shortest key that Django accepts from a cookie."""

MAX_KEY_BYTES = 2048
"""The longest partition key. For a longer one, such as from a forged cookie, DynamoDB returns an error."""


class DjangoSession(Table):
    """One login or anonymous session, as Django's session middleware keeps it."""

    class Meta(metaclass=TableMeta):
        name = "django_sessions"

    session_key = UnicodeAttribute(hash_key=True)
    """What the session cookie carries."""

    session_data = UnicodeAttribute()
    """The session's dict, serialised and signed by `SessionBase.encode`."""

    expires_at = TTLAttribute()
    """When the session ends, in whole seconds. The TTL deletes the item days later, so readers check the time."""


_NUMBER_BYTES = 21
_OTHER_BYTES = sum(len(name) for name in DjangoSession.get_attributes()) + _NUMBER_BYTES

key_changed = Signal()
"""Sent when a session is stored under a new key. Arguments: `session`."""


def _is_possible(key: str) -> bool:
    """Whether a session can have that key. A cookie can contain anything."""
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
        """Whether a key is valid. `SessionBase` calls it at every assignment, and ignores an invalid key."""
        return key is not None and _is_possible(key)

    def _get_new_session_key(self) -> str:
        """A random key. It is not looked up, because `create` does not overwrite an existing session."""
        return get_random_string(32, VALID_KEY_CHARS)

    async def _aget_new_session_key(self) -> str:
        return self._get_new_session_key()

    def _expires_at(self) -> datetime:
        """When the session ends, as an aware datetime, by the package's clock."""
        expires = self.get_expiry_date(modification=clock.utcnow())
        if timezone.is_naive(expires):  # `set_expiry` stores local time without USE_TZ
            expires = timezone.make_aware(expires, timezone.get_default_timezone())
        return expires.astimezone(UTC)

    def exists(self, session_key: str) -> bool:
        """Whether there is an unexpired session of that key."""
        return _find(session_key) is not None

    def load(self) -> dict[str, Any]:
        """The stored dict. If there is no session, or it has expired, the dict is empty and the key is dropped."""
        found = _find(self.session_key) if self.session_key else None
        if found is None:
            self._session_key = None
            return {}
        return self.decode(found.session_data)

    @classmethod
    def load_many(cls, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The stored dicts of several keys, read with eventual consistency: a request for a hundred, at half price."""
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
        """Changes the key and keeps the data, like Django, and sends `key_changed`."""
        super().cycle_key()
        key_changed.send(sender=type(self), session=self)

    async def acycle_key(self) -> None:
        """See `cycle_key`."""
        await sync_to_async(self.cycle_key)()

    def save(self, must_create: bool = False) -> None:
        """Stores the session. A deleted session is not created again.

        Raises:
            CreateError: with `must_create`, the key is taken.
            UpdateError: without `must_create`, the session has been deleted or has expired.
            SessionTooLarge: the session does not fit into a DynamoDB item.
        """
        if self.session_key is None:
            self.create()
            return
        data = self.encode(self._get_session(no_load=must_create))  # type: ignore[attr-defined] # stubs lack it
        key = self.session_key  # read again, because loading drops the key of a deleted session
        if key is None:
            raise UpdateError
        size = len(key.encode()) + len(data) + _OTHER_BYTES
        if size > MAX_ITEM_BYTES:
            raise SessionTooLarge(
                f"The session has {size:,} bytes, but a DynamoDB item holds at most {MAX_ITEM_BYTES:,}. "
                "Store large data elsewhere, and keep its key in the session."
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
        """Deletes the session of that key, by default this session. It is not an error if there is none."""
        key = self.session_key if session_key is None else session_key
        if key is not None and _is_possible(key):
            DjangoSession(key).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Deletes expired sessions, for `manage.py clearsessions`.

        It reads the whole table. DynamoDB's TTL does the same for free, a few days later, so a deployed project need
        not run it. No condition is needed, because an expired session cannot be saved again.
        """
        expired = DjangoSession.expires_at <= clock.utcnow()
        with DjangoSession.batch_write() as batch:
            for item in DjangoSession.scan(expired, attributes_to_get=["session_key"]):
                batch.delete(item)
