"""`manage.py ws_prune`: closes sessions whose connection or login has ended unnoticed."""

from typing import Any

from django.core.management.base import CommandParser

from ws_lambda import housekeeping
from ws_lambda.management.aws_command import AwsCommand


class Command(AwsCommand):
    """Does what the scheduled run does, and shows its progress."""

    help = (
        "Closes sessions that ended without a $disconnect, removes orphaned memberships, and disconnects silent "
        "connections whose user was deleted or deactivated, has logged out, or has a new password."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seconds", type=float, help="Stops after this many seconds. The next run continues from there."
        )

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
                self.stdout.write(self.style.WARNING("The time is up. Run the command again to continue."))


def _sentence(pruned: housekeeping.Pruned) -> str:
    closed = pruned.expired + pruned.gone
    sentences = [
        f"Closed {closed} sessions: {pruned.expired} older than two hours, {pruned.gone} whose connection was gone.",
        f"Asked API Gateway about {pruned.asked} connections, of which {pruned.unknown} got no answer.",
        f"Removed {pruned.orphans} orphaned memberships.",
        f"Disconnected {pruned.evicted} connections that may not stay.",
    ]
    if pruned.unchecked:
        sentences.append(f"Could not read the users of {pruned.unchecked} connections.")
    return " ".join(sentences)
