"""`manage.py ws_sessions`: lists connections, and closes them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ws_lambda import delivery
from ws_lambda.management import output
from ws_lambda.management.aws_command import AwsCommand
from ws_lambda.models import disconnecting
from ws_lambda.models.session import SessionQuerySet, WebSocketSession
from ws_lambda.tables.sessions import channels_of

COLUMNS = (
    "connection_id",
    "user",
    "channels",
    "connected",
    "messages",
    "connected_at",
    "last_seen_at",
    "source_ip",
    "api_id",
)


class Command(AwsCommand):
    help = (
        "Lists WebSocket sessions, or disconnects them. Exit codes: 0 success, 1 refused or failed, 2 wrong usage. "
        "A list by channel, by user or of open connections reads an index. Any other list reads the whole table."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|disconnect")
        listing = actions.add_parser("list", help="Shows sessions. Default: open ones.")
        state = listing.add_mutually_exclusive_group()
        state.add_argument("--closed", action="store_true", help="Shows sessions that have ended and are still stored.")
        state.add_argument("--all", action="store_true", help="Shows open and closed sessions.")
        listing.add_argument("--limit", type=int, default=50, help="The most rows to show. Default: 50.")
        ending = actions.add_parser("disconnect", help="Closes sessions and their sockets.")
        ending.add_argument("--everybody", action="store_true", help="Selects all open connections.")
        ending.add_argument("--yes", action="store_true", help="Does not ask for confirmation.")
        ending.add_argument(
            "--seconds",
            type=float,
            default=float("inf"),
            help="Stops after this many seconds. The scheduled run disconnects the others.",
        )
        for one in (listing, ending):
            one.add_argument("--channel", help="Selects the connections in this channel.")
            one.add_argument("--user", help="Selects the connections of this user, by primary key.")
            one.add_argument("--gateway", help="Selects the connections of this gateway, by API id.")
            one.add_argument("--connection", help="Selects one connection, by its id.")
            one.add_argument("--json", action="store_true", help="Prints JSON on standard output.")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["action"] == "list":
            self._list(options)
        else:
            self._disconnect(options)

    def _list(self, options: dict[str, Any]) -> None:
        if options["limit"] < 1:
            raise CommandError("--limit must be at least 1.")
        chosen = _chosen(options)
        if not options["all"] and not (options["connection"] and not options["closed"]):
            chosen = chosen.filter(connected=not options["closed"])
        found = list(islice(chosen, options["limit"] + 1))
        rows, more = found[: options["limit"]], len(found) > options["limit"]
        if options["json"]:
            self.stdout.write(output.as_json([dict(zip(COLUMNS, row, strict=True)) for row in _rows(rows)]))
            return
        shown = [[_cell(value) for value in row] for row in _rows(rows)]
        self.stdout.write(output.table([name.replace("_", " ") for name in COLUMNS], shown))
        self.stdout.write(f"{len(rows)} shown.{' There are more: raise --limit to see them.' if more else ''}")

    def _disconnect(self, options: dict[str, Any]) -> None:
        named = [name for name in ("channel", "user", "gateway", "connection") if options[name]]
        if bool(named) == options["everybody"]:
            raise CommandError(
                "Select connections with --channel, --user, --gateway or --connection, "
                "or use --everybody without any of these."
            )
        chosen = _chosen(options).filter(connected=True)
        if not options["yes"]:
            whom = ", ".join(f"{name} {options[name]}" for name in named) or "everybody"
            if not output.confirmed(
                f"This disconnects {whom}: {chosen.count()} connections. Type yes to confirm:", "yes"
            ):
                raise CommandError("Nobody was disconnected.")
        shown = self.stdout.isatty() and not options["json"]

        def show(so_far: delivery.DeliveryReport) -> None:
            if shown:
                self.stdout.write(f"\rDisconnected: {so_far.sent}", ending="")
                self.stdout.flush()

        with delivery.deadline(options["seconds"] + disconnecting.GRACE):
            report = chosen.disconnect(show)
        if shown:
            self.stdout.write("")
        said = {"disconnected": report.sent, "gone": len(report.gone), "failed": len(report.failed)}
        if options["json"]:
            self.stdout.write(output.as_json(said))
        else:
            self.stdout.write(f"Disconnected: {report.sent}. Already gone: {len(report.gone)}.")
        if report.unread:
            self.stderr.write(self.style.WARNING("The time is up. The scheduled run disconnects the others."))
        if report.failed:
            reasons = "\n".join(f"{failure.connection_id}: {failure.reason}" for failure in report.failed)
            raise CommandError(f"{len(report.failed)} connections could not be closed:\n{reasons}")


def _chosen(options: dict[str, Any]) -> SessionQuerySet:
    lookups = {"channel": "channel_name", "user": "user", "gateway": "api_gateway", "connection": "connection_id"}
    return WebSocketSession.objects.filter(
        **{lookup: options[name] for name, lookup in lookups.items() if options[name]}
    )


def _rows(sessions: Iterable[WebSocketSession]) -> Iterator[tuple[object, ...]]:
    for one in sessions:
        yield (
            one.connection_id,
            one.user_id,
            sorted(channels_of(one)),
            one.connected,
            int(one.request_count),
            one.connected_at.isoformat(timespec="seconds"),
            one.last_seen_at.isoformat(timespec="seconds"),
            one.source_ip,
            one.api_id,
        )


def _cell(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(value)
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
