"""`manage.py ws_permissions`: who may be in which channel."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from ws_lambda import channels
from ws_lambda.gatekeeping.eviction import Eviction, EvictionResult, evict
from ws_lambda.management import output
from ws_lambda.management.aws_command import AwsCommand
from ws_lambda.models.channel_permissions import ChannelPermission
from ws_lambda.tables.channel_permissions import ACCESS_LEVELS, PERMISSIONS


class Command(AwsCommand):
    help = "Lists, sets and removes channel permissions. Members whom a change no longer admits are put out."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|set|remove|evict")
        listing = actions.add_parser("list", help="show every permission")
        listing.add_argument("--json", action="store_true", help="print JSON on standard output")
        setting = actions.add_parser("set", help="make or change a permission, and put out whom it does not admit")
        setting.add_argument("channel", help="a channel's name, or a prefix ending in *")
        setting.add_argument("access", choices=ACCESS_LEVELS)
        setting.add_argument(
            "--rule", action="append", default=[], metavar="PERM[,PERM…]",
            help="for `permissions`: all of these are needed; give --rule again for an alternative",
        )  # fmt: skip
        setting.add_argument("--description", help="what people are told of it; without it, it stays as it is")
        removing = actions.add_parser("remove", help="remove a permission; UNLISTED_CHANNELS applies from then on")
        removing.add_argument("channel")
        for one in (setting, removing):
            one.add_argument("--keep-members", action="store_true", help="put nobody out")
        evicting = actions.add_parser("evict", help="put out members whom the permissions do not admit now")
        evicting.add_argument("channel")
        for one in (setting, removing, evicting):
            one.add_argument(
                "--seconds", type=float, default=float("inf"),
                help="put members out for so long; the schedule puts out the rest",
            )  # fmt: skip

    def handle(self, *_args: Any, **options: Any) -> None:
        getattr(self, f"do_{options['action']}")(**options)

    def do_list(self, *, json: bool, **_options: Any) -> None:
        rows = sorted(ChannelPermission.scan(consistent_read=True), key=lambda row: row.channel_name)
        if json:
            fields = ("channel_name", "access", "rules", "description")
            self.stdout.write(output.as_json([{name: getattr(row, name) for name in fields} for row in rows]))
        elif rows:
            cells = [[row.channel_name, row.access, _rules(row), row.description] for row in rows]
            self.stdout.write(output.table(["channel", "access", "rules", "description"], cells))
        else:
            self.stdout.write("No channel permissions. UNLISTED_CHANNELS applies to every channel.")

    def do_set(
        self,
        *,
        channel: str,
        access: str,
        rule: list[str],
        description: str | None,
        keep_members: bool,
        **options: Any,
    ) -> None:
        self._check_pattern(channel)
        rules = [[name.strip() for name in one.split(",") if name.strip()] for one in rule]
        if rules and access != PERMISSIONS:
            raise CommandError(f"--rule goes with `{PERMISSIONS}`, not with `{access}`.")
        if description is None:
            description = next((row.description for row in ChannelPermission.batch_get([channel])), "")
        ChannelPermission(channel, access=access, rules=rules, description=description).save()
        self.stdout.write(self.style.SUCCESS(f"{channel}: {access}"))
        self._evict(channel, options, keep_members)

    def do_remove(self, *, channel: str, keep_members: bool, **options: Any) -> None:
        try:
            ChannelPermission.get(channel, consistent_read=True).delete()
        except ChannelPermission.DoesNotExist:
            raise CommandError(f"There is no permission for {channel!r}. `ws_permissions list` shows all.") from None
        self.stdout.write(self.style.SUCCESS(f"{channel}: removed"))
        self._evict(channel, options, keep_members)

    def do_evict(self, *, channel: str, **options: Any) -> None:
        self._check_pattern(channel)
        self._evict(channel, options)

    def _evict(self, channel: str, options: dict[str, Any], keep_members: bool = False) -> None:
        if keep_members:
            return
        shown = self.stdout.isatty() and options["verbosity"]

        def show(evicted: EvictionResult) -> None:
            if shown:
                self.stdout.write(f"\r{evicted.checked} looked at, {evicted.evicted} put out", ending="")
                self.stdout.flush()

        evicted = evict(channel, seconds=options["seconds"], progress=show)
        if shown:
            self.stdout.write("")
        for one in evicted.named:
            left = "".join(f"\n  {one.connection_id} left {name}" for name in one.channel_names)
            self.stdout.write(f"{left[1:]}{_and_closed(one)}")
        if (more := evicted.evicted - len(evicted.named)) > 0:
            self.stdout.write(f"  and {more} more")
        self.stdout.write(f"{evicted.evicted} put out.")
        if not evicted.complete:
            self.stdout.write(self.style.WARNING("The time was up: the schedule puts out the rest."))
        if evicted.unclosed:
            said = f"{evicted.unclosed} sockets could not be closed now: the schedule tries again."
            self.stdout.write(self.style.WARNING(said))
        if evicted.undone:
            raise CommandError(f"{evicted.undone} could not be put out now: the schedule tries again.")

    def _check_pattern(self, channel: str) -> None:
        name = channel.removesuffix("*")
        if (name or channel != "*") and not channels.NAME_PATTERN.fullmatch(name):
            raise CommandError(f"{channel!r} is neither a channel nor a prefix ending in *.")


def _and_closed(one: Eviction) -> str:
    return ", and was disconnected" if one.disconnected else ""


def _rules(row: ChannelPermission) -> str:
    return " or ".join(" and ".join(rule) for rule in row.rules or ())
