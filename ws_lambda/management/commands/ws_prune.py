"""Closes sessions whose connection, or whose user's login, has ended without anybody being told."""

from typing import Any

from django.core.management.base import CommandParser

from ws_lambda import housekeeping
from ws_lambda.management.aws_command import AwsCommand


class Command(AwsCommand):
    """`manage.py ws_prune`: what the schedule does, by hand and with progress."""

    help = (
        "Closes sessions that have ended without a $disconnect, removes orphaned memberships, and puts out "
        "connections that say nothing and whose user is gone, deactivated, logged out or has a new password."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, help="stop after so many seconds; the next run goes on from there")

    def handle(self, *args: Any, **options: Any) -> None:
        def show(pruned: housekeeping.Pruned) -> None:
            if self.stdout.isatty() and options["verbosity"]:
                self.stdout.write(f"\r{_sentence(pruned)}", ending="")
                self.stdout.flush()

        pruned = housekeeping.run(options["seconds"], progress=show)
        if self.stdout.isatty() and options["verbosity"]:
            self.stdout.write("")
        if options["verbosity"]:
            self.stdout.write(_sentence(pruned))
            if not pruned.complete:
                self.stdout.write(self.style.WARNING("The time was up: run it again to go on from there."))


def _sentence(pruned: housekeeping.Pruned) -> str:
    closed = pruned.expired + pruned.gone
    sentence = (
        f"Closed {closed} sessions ({pruned.expired} older than two hours, {pruned.gone} of {pruned.asked} asked "
        f"about gone, {pruned.unknown} without answer), removed {pruned.orphans} memberships, "
        f"put out {pruned.evicted} connections."
    )
    return f"{sentence} The users of {pruned.unchecked} could not be read." if pruned.unchecked else sentence
