"""The table of Django's own sessions, for `ws_lambda.session_store`."""

from pynamodb.attributes import TTLAttribute, UnicodeAttribute

from ws_lambda.models.base import Table, TableMeta


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
