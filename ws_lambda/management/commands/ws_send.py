"""`manage.py ws_send`: sends a message to a channel, a user, a connection, or everyone."""

import shutil
import sys
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ws_lambda import delivery
from ws_lambda.channels import MAX_NAME_LENGTH, NAME_PATTERN
from ws_lambda.conf import conf
from ws_lambda.management.aws_command import AwsCommand
from ws_lambda.management.output import table
from ws_lambda.models import SessionQuerySet, WebSocketSession
from ws_lambda.models.batch_closing import close_gone

BAR = 30
FAILURES_SHOWN = 20


class Command(AwsCommand):
    """Sends a message with a progress bar, then prints a table. Exits with 1 if somebody was not reached."""

    help = "Sends a message to the open connections of a channel, a user, one connection, or everyone."

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--channel", metavar="NAME", help="Sends to everyone in a channel.")
        whom.add_argument("--user", metavar="KEY", help="Sends to all connections of a user, by primary key.")
        whom.add_argument("--connection", metavar="ID", help="Sends to one connection.")
        whom.add_argument("--all", action="store_true", help="Sends to every open connection.")
        parser.add_argument(
            "message", help='The text to send, usually JSON: \'{"type": "system"}\'. "-" reads standard input.'
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Shows how many connections the message would go to, and how. Sends nothing.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        message = sys.stdin.read() if options["message"] == "-" else options["message"]
        try:
            size = len(delivery.encode(message))
        except ValueError as too_big:
            raise CommandError(str(too_big)) from too_big
        selected = _selected(options)
        members = selected.count()
        if options["dry_run"]:
            self._say_what_would_be(selected, members, size)
            if not members:
                self._warn_of_nobody(options)
            return
        bar = _Bar(self, members) if self.stdout.isatty() and options["verbosity"] else None
        try:
            report = delivery.send(
                selected.audience(),
                message,
                on_gone=partial(close_gone, channel_name=options["channel"] or ""),
                progress=bar,
            )
        except (ValueError, delivery.DeliveryError) as failed:
            raise CommandError(str(failed)) from failed
        if bar:
            self.stdout.write("")
        self._show(report, options)
        if report.failed or report.unread:
            sys.exit(1)

    def _say_what_would_be(self, selected: SessionQuerySet, members: int, size: int) -> None:
        queued = bool(conf.FANOUT_QUEUE_URL) and members > conf.FANOUT_INLINE_MAX
        way = "through the fan-out queue" if queued else "from this process"
        self.stdout.write(f"Would send {size:,} bytes to {members:,} connections, {way}. Nothing was sent.")

    def _warn_of_nobody(self, options: dict[str, Any]) -> None:
        if options["verbosity"]:
            self.stderr.write(self.style.WARNING(_nobody(options)))

    def _show(self, report: delivery.DeliveryReport, options: dict[str, Any]) -> None:
        if not options["verbosity"]:
            return
        rows: list[tuple[str, object]] = [("sent", report.sent), ("gone", len(report.gone))]
        rows.append(("failed", len(report.failed)))
        if report.repeated:
            rows.append(("sent, perhaps twice", len(report.repeated)))
        if report.queued:
            rows.append(("jobs on the queue", report.queued))
        rows.append(("seconds", f"{report.seconds:.2f}"))
        self.stdout.write(table(("outcome", "connections"), rows))
        for failure in report.failed[:FAILURES_SHOWN]:
            perhaps = " (may have been delivered)" if failure.ambiguous else ""
            self.stderr.write(self.style.ERROR(f"{failure.connection_id}: {failure.reason}{perhaps}"))
        if len(report.failed) > FAILURES_SHOWN:
            self.stderr.write(self.style.ERROR(f"... and {len(report.failed) - FAILURES_SHOWN} more"))
        if report.unread:
            self.stderr.write(
                self.style.ERROR("The roster was not read to its end. Some connections did not get the message.")
            )
        if not (report.sent or report.gone or report.failed or report.repeated or report.queued or report.unread):
            self._warn_of_nobody(options)


class _Bar:
    """A progress bar on one line of the terminal."""

    def __init__(self, command: BaseCommand, members: int) -> None:
        self._out = command.stdout
        self._members = members

    def __call__(self, progress: delivery.Progress) -> None:
        done = progress.settled
        share = min(1.0, done / self._members) if self._members else 1.0
        full = int(share * BAR)
        line = f"[{'#' * full}{'.' * (BAR - full)}] {done:,} of {self._members:,}"
        self._out.write("\r" + line[: shutil.get_terminal_size().columns - 1], ending="")
        self._out.flush()


def _selected(options: dict[str, Any]) -> SessionQuerySet:
    """The sessions that the options select."""
    everyone = WebSocketSession.objects.filter(connected=True)
    if options["channel"] is not None:
        name = options["channel"]
        if not NAME_PATTERN.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
            raise CommandError(f"{name!r} is not a valid channel name.")
        return everyone.filter(channel_name=name)
    if options["user"] is not None:
        return everyone.filter(user=options["user"])
    if options["connection"] is not None:
        return everyone.filter(connection_id=options["connection"])
    return everyone


def _nobody(options: dict[str, Any]) -> str:
    """Says that the options select no open connection."""
    if options["channel"] is not None:
        return f"No open connection in channel {options['channel']!r}."
    if options["user"] is not None:
        return f"No open connection of user {options['user']!r}. --user takes the primary key."
    if options["connection"] is not None:
        return f"No open connection {options['connection']!r}."
    return "No open connection."
