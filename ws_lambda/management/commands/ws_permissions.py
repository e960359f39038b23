"""`manage.py ws_permissions`: lists and changes channel permissions."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from ws_lambda import channels
from ws_lambda.gatekeeping.eviction import Eviction, EvictionResult, evict
from ws_lambda.management import output
from ws_lambda.management.aws_command import AwsCommand
from ws_lambda.models.channel_permissions import ChannelPermission
from ws_lambda.tables.channel_permissions import ACCESS_LEVELS, PERMISSIONS


class Command(AwsCommand):
    help = (
        "Lists, sets and removes channel permissions. Members who lose their permission are removed from the channel."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|set|remove|evict")
        listing = actions.add_parser("list", help="Shows all permissions.")
        listing.add_argument("--json", action="store_true", help="Prints JSON on standard output.")
        setting = actions.add_parser(
            "set", help="Creates or changes a permission, and removes members it does not admit."
        )
        setting.add_argument("channel", help="The name of a channel, or a prefix that ends in *.")
        setting.add_argument("access", choices=ACCESS_LEVELS)
        setting.add_argument(
            "--rule", action="append", default=[], metavar="PERM[,PERM…]",
            help="With `permissions`: the permissions that a user needs, all of them. Repeat --rule for alternatives.",
        )  # fmt: skip
        setting.add_argument("--description", help="A note on what the permission is for. Default: unchanged.")
        removing = actions.add_parser(
            "remove", help="Removes a permission. UNLISTED_CHANNELS then applies to the channel."
        )
        removing.add_argument("channel")
        for one in (setting, removing):
            one.add_argument("--keep-members", action="store_true", help="Does not remove any members.")
        evicting = actions.add_parser("evict", help="Removes members whom the permissions do not admit.")
        evicting.add_argument("channel")
        for one in (setting, removing, evicting):
            one.add_argument(
                "--seconds", type=float, default=float("inf"),
                help="Stops removing members after this many seconds. The scheduled run removes the others.",
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
            self.stdout.write("There are no channel permissions. UNLISTED_CHANNELS applies to every channel.")

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
            raise CommandError(f"--rule applies to the access level `{PERMISSIONS}`, not to `{access}`.")
        if description is None:
            description = next((row.description for row in ChannelPermission.batch_get([channel])), "")
        ChannelPermission(channel, access=access, rules=rules, description=description).save()
        self.stdout.write(self.style.SUCCESS(f"{channel}: {access}"))
        self._evict(channel, options, keep_members)

    def do_remove(self, *, channel: str, keep_members: bool, **options: Any) -> None:
        try:
            ChannelPermission.get(channel, consistent_read=True).delete()
        except ChannelPermission.DoesNotExist:
            raise CommandError(
                f"There is no permission for {channel!r}. Use `ws_permissions list` to see all permissions."
            ) from None
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
                self.stdout.write(f"\r{evicted.checked} members checked, {evicted.evicted} removed", ending="")
                self.stdout.flush()

        evicted = evict(channel, seconds=options["seconds"], progress=show)
        if shown:
            self.stdout.write("")
        for one in evicted.named:
            left = "".join(f"\n  {one.connection_id} left {name}" for name in one.channel_names)
            self.stdout.write(f"{left[1:]}{_and_closed(one)}")
        if (more := evicted.evicted - len(evicted.named)) > 0:
            self.stdout.write(f"  and {more} more")
        self.stdout.write(f"{evicted.evicted} removed.")
        if not evicted.complete:
            self.stdout.write(self.style.WARNING("The time is up. The scheduled run removes the others."))
        if evicted.unclosed:
            said = f"{evicted.unclosed} sockets could not be closed. The scheduled run tries again."
            self.stdout.write(self.style.WARNING(said))
        if evicted.undone:
            raise CommandError(f"{evicted.undone} could not be removed. The scheduled run tries again.")

    def _check_pattern(self, channel: str) -> None:
        name = channel.removesuffix("*")
        if (name or channel != "*") and not channels.NAME_PATTERN.fullmatch(name):
            raise CommandError(f"{channel!r} is neither the name of a channel nor a prefix that ends in *.")


def _and_closed(one: Eviction) -> str:
    return ", and was disconnected" if one.disconnected else ""


def _rules(row: ChannelPermission) -> str:
    return " or ".join(" and ".join(rule) for rule in row.rules or ())
