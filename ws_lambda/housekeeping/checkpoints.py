"""How far the scans have come, as stored in DynamoDB. If the stored value does not fit, the scan begins again."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ws_lambda import clock
from ws_lambda.housekeeping import round_robin
from ws_lambda.models import cursors
from ws_lambda.tables.sessions import LIVE_SHARDS

SCHEDULE, WHOLE = "prune", "prune whole"
"""Names of the checkpoints of the schedule and of runs by hand."""

MEMBERSHIPS = "memberships"
OPEN = "open "
_OPEN_STEPS = tuple(OPEN + shard for shard in LIVE_SHARDS)

_LIVE_KEY = {"live_shard": "S", "connected_at": "N", "connection_id": "S"}
_MEMBER_KEY = {"channel": "S", "connection_id": "S"}

_log = logging.getLogger("ws_lambda")


@dataclass(frozen=True)
class Place:
    """Where a page begins: a step and a key."""

    step: str
    key: dict[str, dict[str, str]] | None = None
    """The key of the row before the page, in DynamoDB's JSON; None for the start of the step."""


def steps_of(turns: range) -> tuple[str, ...]:
    """The steps of a scan, in order. Memberships are scanned in one part for each turn, or all together."""
    parts = sorted(round_robin.groups(turns))
    whole = len(parts) == round_robin.TURNS
    rosters = (MEMBERSHIPS,) if whole else tuple(f"{MEMBERSHIPS} {part}" for part in parts)
    return (*_OPEN_STEPS, *rosters)


@dataclass
class Checkpoint:
    """How far the scans have come."""

    name: str
    done: int
    """The last turn of this run."""

    scans: list[tuple[range, Place | None]] = field(default_factory=list)
    """The scans to do: their turns, and where to begin. An interrupted scan comes first."""

    killed: bool = False
    """Whether the last run was killed: it neither finished nor stored where it was."""

    @classmethod
    def take(cls, *, whole: bool) -> "Checkpoint":
        """Reads the checkpoint, and records that a run has begun. If it is killed, the next run knows."""
        name = WHOLE if whole else SCHEDULE
        stored = cursors.read(name)
        done, cut = _done(stored), _cut_short(stored)
        if stored and not done and not cut and not stored.get("began"):
            _log.warning("The checkpoint %r of %r does not fit, so the scan begins again", stored, name)
        scans: list[tuple[range, Place | None]] = [cut] if cut else []
        if not (whole and cut):
            following = cut[0].stop - 1 if cut else done
            left = round_robin.all_turns(clock.now()) if whole else round_robin.due(following, clock.now())
            scans.append((left, None))  # even without any turn, because some work is done by every run
        last = scans[-1][0].stop - 1
        one = cls(name, last, scans, killed=bool(stored.get("began")))
        one._write({"done": last, "began": True})
        return one

    def leave(self, place: Place) -> None:
        """Stores where the current scan was interrupted."""
        turns = self.scans[0][0]
        last = turns.stop - 1
        walk = {"first": turns.start, "last": last, "step": place.step, "key": place.key}
        self._write({"done": last, "walk": walk})

    def finish(self) -> None:
        """Records that all scans are complete."""
        if self.name == WHOLE:
            cursors.clear(self.name)
        else:
            self._write({"done": self.done})

    def _write(self, position: dict[str, Any]) -> None:
        cursors.write(self.name, position)


def fits(key: Any, step: str) -> bool:
    """Whether a query or scan of that step can start after a stored key."""
    live = step in _OPEN_STEPS
    shape = _LIVE_KEY if live else _MEMBER_KEY
    if not isinstance(key, Mapping) or set(key) != set(shape):
        return False
    for name, kind in shape.items():
        value = key[name]
        if (
            not isinstance(value, Mapping)
            or set(value) != {kind}
            or not isinstance(value[kind], str)
            or not value[kind]
        ):
            return False
    return not live or (key["connected_at"]["N"].isdecimal() and key["live_shard"]["S"] == step.removeprefix(OPEN))


def _done(stored: Mapping[str, Any]) -> int | None:
    done = stored.get("done")
    return done if isinstance(done, int) and 0 < done <= round_robin.turn_at(clock.now()) else None


def _cut_short(stored: Mapping[str, Any]) -> tuple[range, Place] | None:
    """The scan that a run had no time to finish, if the stored value fits."""
    walk = stored.get("walk")
    if not isinstance(walk, Mapping):
        return None
    first, last, step, key = (walk.get(name) for name in ("first", "last", "step", "key"))
    if not (isinstance(first, int) and isinstance(last, int) and -1 <= last - first < round_robin.TURNS):
        return None
    turns = range(first, last + 1)
    if step not in steps_of(turns) or last > round_robin.turn_at(clock.now()):
        return None
    if key is not None and not fits(key, str(step)):
        _log.warning("The stored key %r does not fit %r, so that part is scanned again", key, step)
        key = None
    return turns, Place(str(step), key)
