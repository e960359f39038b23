"""Revalidating the connections of users whose permissions have changed, or those of a group of theirs.

The signals of many-to-many fields are for users and groups in SQL. `ws_lambda.users` keeps the names of groups and
permissions in fields of the user, so that saving the user sends the signal.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.db.models import Q
from django.db.models.signals import m2m_changed, pre_delete
from django.dispatch import Signal

from ws_lambda import delivery
from ws_lambda.deadlines import ends_at
from ws_lambda.gatekeeping.batch_revalidation import RevalidationResult, revalidate_many
from ws_lambda.gatekeeping.lookup_cache import LookupCache
from ws_lambda.models import open_connections, unfinished_work
from ws_lambda.models.disconnecting import close_and_disconnect
from ws_lambda.models.owners import login_holds
from ws_lambda.models.session import WebSocketSession
from ws_lambda.tables.rate_limits import UnfinishedWork
from ws_lambda.tables.sessions import LIVE_SHARDS, is_listed_open

KIND: Final = "judge"
"""The kind of unfinished work, as stored."""

SECONDS = 10.0
"""How long a request that changes a group may take to revalidate the connections of its members. The schedule does the
rest."""

FEW = 25
"""The connections of up to this many users are queried one user at a time. For more, the index of all open connections
is read."""

_PAGE = 500
_NOTED_TOGETHER = 1_000
"""How many user ids one row holds. An item has 400 KB at most."""

_log = logging.getLogger("ws_lambda")


def revalidate_users(user_ids: Iterable[str], *, saved: Any = None) -> RevalidationResult:
    """Revalidates every open connection of users; see `batch_revalidation.revalidate_many`.

    The schedule does what there is no time for, and everything after an error.

    Args:
        saved: the user, if it is one who has just been saved. It spares reading the user for logins that have ended.
    """
    ids = set(user_ids)
    try:
        return _revalidate_users(ids, saved)
    except Exception:
        _note_unfinished(sorted(ids))
        raise


def _revalidate_users(ids: set[str], saved: Any) -> RevalidationResult:
    result, cache = RevalidationResult(), LookupCache(checks_logins=False)
    ends = min(time.monotonic() + SECONDS, ends_at())
    with delivery.deadline(SECONDS):
        found = _connections_of(ids)
        while page := list(islice(found, _PAGE)):
            if time.monotonic() >= ends:
                _log.warning(
                    "Not all connections could be revalidated within %s seconds. The schedule continues.", SECONDS
                )
                _note_unfinished(sorted(ids))
                break
            result += _revalidate(page, cache, saved)
    return result


def go_on(work: UnfinishedWork, *, seconds: float = float("inf")) -> RevalidationResult:
    """Continues the revalidation of users, a few at a time. At least some are done, however little time there is."""
    result, cache, left = (
        RevalidationResult(),
        LookupCache(checks_logins=False),
        [str(one) for one in work.place.get("users", ())],
    )
    ends = time.monotonic() + seconds
    while left:
        result += _revalidate(list(_connections_of(set(left[:FEW]))), cache)
        left = left[FEW:]
        if left and time.monotonic() >= ends:
            unfinished_work.leave(work, {"users": left})
            return result
    unfinished_work.end(work)
    return result


def _note_unfinished(user_ids: Sequence[str]) -> None:
    for start in range(0, len(user_ids), _NOTED_TOGETHER):
        unfinished_work.begin(KIND, secrets.token_hex(8), {"users": user_ids[start : start + _NOTED_TOGETHER]})


def _revalidate(connection_ids: Sequence[str], cache: LookupCache, saved: Any = None) -> RevalidationResult:
    sessions = [one for one in WebSocketSession.batch_get(connection_ids, consistent_read=True) if one.connected]
    if saved is not None:
        ended = [one for one in sessions if not login_holds(saved, one.auth_hash or "")]
        close_and_disconnect(one.recipient for one in ended)
        sessions = [one for one in sessions if one not in ended]
    return revalidate_many(sessions, cache)


def _connections_of(user_ids: set[str]) -> Iterator[str]:
    """The ids of the users' connections, including those that are not in the index yet."""
    if len(user_ids) > FEW:
        for shard in LIVE_SHARDS:
            yield from (row.connection_id for row in WebSocketSession.live.query(shard) if row.user_id in user_ids)
        return
    for user_id in user_ids:
        rows = WebSocketSession.by_user.query(user_id)
        yield from {row.connection_id for row in rows if is_listed_open(row)} | open_connections.ids_of(user_id)


def once_committed(using: str | None, act: Callable[[], Any]) -> None:
    """Calls `act` after the SQL transaction, if one is open. Before that, a reconnect would read the old user."""
    if using and connections[using].in_atomic_block:
        transaction.on_commit(act, using=using)
    else:
        act()


def signal_receivers() -> list[tuple[Signal, Callable[..., None], Any]]:
    """The signals, receivers and senders for permissions in SQL, as far as the user model has them."""
    fields: Any = get_user_model()._meta
    groups, permissions = _through("groups"), _through("user_permissions")
    found: list[tuple[Signal, Callable[..., None], Any]] = []
    if groups is not None:
        group = fields.get_field("groups").related_model
        found += [(m2m_changed, _on_users_changed, groups), (pre_delete, _on_group_deleted, group)]
        if hasattr(group, "permissions"):
            found.append((m2m_changed, _on_group_permissions, group.permissions.through))
    if permissions is not None:
        permission = fields.get_field("user_permissions").related_model
        found += [(m2m_changed, _on_users_changed, permissions), (pre_delete, _on_permission_deleted, permission)]
    return found


def _through(field: str) -> Any:
    return getattr(getattr(get_user_model(), field, None), "through", None)


def _on_users_changed(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, using: str | None = None, **_kwargs: Any
) -> None:
    """A user's groups or permissions have changed, from either side of the relation."""
    if action in ("post_add", "post_remove"):
        users = pk_set if reverse else [instance.pk]
    elif action == "pre_clear":  # afterwards the members are unknown
        field = "groups" if sender is _through("groups") else "user_permissions"
        users = _users(Q(**{field: instance.pk})) if reverse else [instance.pk]
    else:
        return
    _revalidate_later(using, users)


def _on_group_permissions(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, using: str | None = None, **_kwargs: Any
) -> None:
    """A group's permissions have changed, from either side of the relation."""
    if action in ("post_add", "post_remove"):
        _revalidate_later(using, _users(Q(groups__in=pk_set if reverse else [instance.pk])))
    elif action == "pre_clear":
        _revalidate_later(using, _users(Q(groups__permissions=instance.pk) if reverse else Q(groups=instance.pk)))


def _on_group_deleted(sender: Any, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
    _revalidate_later(using, _users(Q(groups=instance.pk)))


def _on_permission_deleted(sender: Any, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
    held = Q(user_permissions=instance.pk)
    if _through("groups") is not None:
        held |= Q(groups__permissions=instance.pk)
    _revalidate_later(using, _users(held))


def _users(condition: Q) -> list[Any]:
    return list(get_user_model()._base_manager.filter(condition).values_list("pk", flat=True).distinct())


def _revalidate_later(using: str | None, users: Iterable[Any]) -> None:
    ids = {str(one) for one in users}
    if ids:
        once_committed(using, partial(revalidate_users, ids))
