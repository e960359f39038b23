"""The live overview: the open connections, and the messages and refusals of the last hour.

A page requests a snapshot over its own WebSocket every two seconds, so there is no cost while nobody looks. A snapshot
reads at most 8 MB of the index of open connections, and the figures of the hour. A process makes at most one snapshot
every two seconds, however many people look.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path

from ws_lambda import clock, process_state
from ws_lambda.admin.typed import ModelAdmin
from ws_lambda.models import gateways, stats
from ws_lambda.models.session import WebSocketSession
from ws_lambda.process_state import Occasion
from ws_lambda.tables.sessions import LIVE_SHARDS
from ws_lambda.views import WebSocketView

PERMISSION = "ws_lambda.view_websocketsession"
ROUTE_KEY = "overview"
"""The route of the page's messages, an additional route of the gateway."""

REFRESH_SECONDS = 2.0
TOP = 20
"""How many channels and gateways are listed. The others are added up."""

READS_PER_PARTITION = 2
"""Requests of 1 MB, each of about 5,000 connections."""


class _Snapshots:
    """The last snapshot, and when it was made."""

    def __init__(self) -> None:
        self._lock = process_state.Lock()
        self._made: tuple[float, str, dict[str, Any]] = (0.0, "", {})

    def get(self) -> dict[str, Any]:
        with self._lock:
            made_at, table, snapshot = self._made
            fresh = 0 <= clock.now() - made_at < REFRESH_SECONDS
            if not fresh or table != WebSocketSession.Meta.table_name:
                snapshot = make()
                self._made = (clock.now(), WebSocketSession.Meta.table_name, snapshot)
            return snapshot

    def forget(self) -> None:
        """Forgets the last snapshot."""
        with self._lock:
            self._made = (0.0, "", {})


_snapshots = _Snapshots()
snapshot = _snapshots.get
forget = _snapshots.forget
process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def make() -> dict[str, Any]:
    """Makes a snapshot, with at most eight requests for the connections and five for the rest."""
    by_channel: Counter[str] = Counter()
    by_gateway: Counter[str] = Counter()
    complete = True
    for page, more in _pages():
        complete = complete and not more
        for item in page:
            by_channel[item.get("channel_name", {}).get("S", "")] += 1
            by_gateway[item.get("api_id", {}).get("S", "")] += 1
    return {
        "connections": by_gateway.total(),
        "complete": complete,
        "channels": _top(by_channel, lambda name: name or "(none)"),
        "gateways": _top(by_gateway, _gateway_name),
        "hour": stats.last_hour(),
        "at": clock.utcnow().isoformat(timespec="seconds"),
    }


def _pages() -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """Pages of open connections, and whether a partition has more than may be read."""
    for shard in LIVE_SHARDS:
        pages = WebSocketSession.live.query(shard, attributes_to_get=["channel_name", "api_id"]).page_iter
        for number, page in enumerate(pages, start=1):
            last = number == READS_PER_PARTITION
            yield page["Items"], last and "LastEvaluatedKey" in page
            if last:
                break


def _top(counted: Counter[str], name: Any) -> list[dict[str, Any]]:
    rows = [{"name": name(key), "connections": number} for key, number in counted.most_common(TOP)]
    rest = counted.total() - sum(row["connections"] for row in rows)
    return rows + ([{"name": f"{len(counted) - TOP} others", "connections": rest}] if rest else [])


def _gateway_name(api_id: str) -> str:
    record = gateways.find(api_id)
    return f"{record.api_name} ({api_id})" if record else api_id


class LiveOverviewAdmin(ModelAdmin):
    """The page, in place of a list of rows. People who may view sessions may view it."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="ws_lambda_liveoverview_changelist"),
            path("data/", wrap(self.data_view), name="ws_lambda_liveoverview_data"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The page, with its first snapshot."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Live overview",
            "opts": self.opts,
            "snapshot": snapshot(),
            "route_key": ROUTE_KEY,
            "refresh": int(REFRESH_SECONDS * 1000),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/ws_lambda/overview.html", context)

    def data_view(self, request: HttpRequest) -> HttpResponse:
        """A snapshot as JSON, for a page that cannot open its WebSocket."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(snapshot())


class OverviewView(WebSocketView):
    """Answers the page's messages with snapshots, for staff who may view sessions."""

    ALLOWED_HANDLERS: ClassVar[Any] = (ROUTE_KEY,)
    all_permissions_required = (PERMISSION,)

    def has_required_permissions(self, request: HttpRequest) -> bool:
        """Admits only staff, like the admin itself."""
        return bool(getattr(request.user, "is_staff", False)) and super().has_required_permissions(request)

    def overview(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """One snapshot."""
        return {"type": ROUTE_KEY, **snapshot()}
