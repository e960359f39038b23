"""Checking open connections: are they too old, are they gone, may they stay?"""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from ws_lambda import clock, delivery
from ws_lambda.conf import conf
from ws_lambda.gatekeeping.batch_revalidation import revalidate_many
from ws_lambda.gatekeeping.lookup_cache import LookupCache
from ws_lambda.housekeeping import paging, round_robin
from ws_lambda.housekeeping.results import Pruned
from ws_lambda.models import WebSocketSession
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.sessions import MAX_DURATION

IDLE = timedelta(minutes=10)
"""API Gateway closes a connection after this time without a message. Only idle connections are probed.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

_log = logging.getLogger("ws_lambda")


class Inspector:
    """Checks the pages of one run."""

    def __init__(self, pruned: Pruned, *, whole: bool, judging: bool) -> None:
        """
        Args:
            whole: whether this is a complete run, such as one by hand.
            judging: whether to revalidate users. It is off after a run that was killed by it.
        """
        self._pruned = pruned
        self._judging = judging
        self._cache = LookupCache(allow_stale=True)
        # The schedule revalidates active connections too, because their next turn is half an hour away and they may
        # send no other message. A run by hand leaves them to their next message.
        self._silent = timedelta(seconds=conf.REVALIDATE_USER_SECONDS if whole else 0)

    def at(self, rows: Iterable[paging.Item], groups: frozenset[int]) -> None:
        """Checks a page of the index: the age of all connections, and everything of those whose turn it is."""
        oldest = milliseconds(clock.utcnow() - MAX_DURATION)
        old: list[delivery.Recipient] = []
        due: list[str] = []
        for row in rows:
            recipient = paging.recipient(row)
            if recipient.connected_at < oldest:
                old.append(recipient)
            elif round_robin.group_of(row.get("user_id", {}).get("S", ""), recipient.connection_id) in groups:
                due.append(recipient.connection_id)
        self._pruned.expired += WebSocketSession.objects.close_gone(old)
        self._pruned.checked += len(due)
        if due:
            self._check([one for one in WebSocketSession.batch_get(due) if one.connected])

    def _check(self, sessions: Sequence[WebSocketSession]) -> None:
        now = clock.utcnow()
        quiet = [one.recipient for one in sessions if now - one.last_seen_at > IDLE]
        gone = list(self._gone(quiet))
        self._pruned.gone += WebSocketSession.objects.close_gone(gone)
        left = {one.connection_id for one in gone}
        self._revalidate(
            [
                one
                for one in sessions
                if one.user_id and one.connection_id not in left and now - one.last_seen_at >= self._silent
            ]
        )

    def _gone(self, recipients: Sequence[delivery.Recipient]) -> Iterable[delivery.Recipient]:
        for recipient, status in delivery.inspect(recipients):
            self._pruned.asked += 1
            if status.state == "gone":
                yield recipient
            elif status.state == "unknown":
                self._pruned.unknown += 1

    def _revalidate(self, sessions: Sequence[WebSocketSession]) -> None:
        """Revalidates connections. After an error it stops for this run: a database that is down costs much time."""
        if sessions and self._judging:
            try:
                result = revalidate_many(sessions, self._cache)
            except Exception:
                _log.exception("Users could not be read, so their connections stay open until their next turn")
                self._judging = False
            else:
                self._pruned.evicted += result.evicted
                self._pruned.removed += result.removed
                self._pruned.unchecked += result.unchecked
                return
        self._pruned.unchecked += len(sessions)
