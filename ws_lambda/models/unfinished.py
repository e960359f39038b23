"""Work on many connections that one call has no time to end, so that the schedule goes on with it."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError, UpdateError

from ws_lambda import clock
from ws_lambda.models.base import Table, TableMeta, condition_failed

_KEPT = timedelta(days=1)
"""As for other positions of housekeeping."""


class Unfinished(Table):
    """One piece of work, and how far it has come. It lives in the table of counters, which forgets by itself.

    Beginning the same work again replaces the row: whoever is still at it from before neither moves it on nor ends it.
    """

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    SCOPE: ClassVar[str] = "unfinished"

    scope = UnicodeAttribute(hash_key=True)
    """`unfinished`; no counter is named so."""

    window = UnicodeAttribute(range_key=True)
    """The kind of the work, a space, and what it is about: `evict team-*`."""

    mark = UnicodeAttribute()
    """Of this beginning."""

    position = UnicodeAttribute(default="{}")
    expires_at = TTLAttribute()

    @classmethod
    def begin(cls, kind: str, about: str, place: Mapping[str, Any] | None = None) -> Self:
        """Notes that a piece of work has begun, from its beginning or from a place."""
        one = cls(
            cls.SCOPE,
            f"{kind} {about}",
            mark=secrets.token_hex(8),
            position=json.dumps(place or {}),
            expires_at=clock.utcnow() + _KEPT,
        )
        one.save()
        return one

    @classmethod
    def everything(cls) -> list[Self]:
        """All that is begun and not ended."""
        return [one for one in cls.query(cls.SCOPE, consistent_read=True) if one.expires_at > clock.utcnow()]

    @property
    def kind(self) -> str:
        return self.window.partition(" ")[0]

    @property
    def about(self) -> str:
        return self.window.partition(" ")[2]

    @property
    def place(self) -> Mapping[str, Any]:
        """Where it was left; empty at its beginning."""
        found = json.loads(self.position)
        return found if isinstance(found, dict) else {}

    def leave(self, place: Mapping[str, Any]) -> None:
        """Notes where it has been left, unless it has begun anew."""
        self.position = json.dumps(place)
        try:
            self.update([Unfinished.position.set(self.position)], condition=self._same())
        except UpdateError as failed:
            if not condition_failed(failed):
                raise

    def end(self) -> None:
        """Notes that it is done, unless it has begun anew."""
        try:
            self.delete(condition=self._same())
        except DeleteError as failed:
            if not condition_failed(failed):
                raise

    def _same(self) -> Any:
        return Unfinished.mark == self.mark
