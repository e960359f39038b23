"""Where a walk left off, as it is kept in DynamoDB. What does not fit is no position: the walk begins anew."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ws_lambda import clock
from ws_lambda.housekeeping import round_robin
from ws_lambda.models import cursors
from ws_lambda.tables.sessions import LIVE_SHARDS

SCHEDULE, WHOLE = "prune", "prune whole"
"""Names of the positions of the schedule and of runs by hand."""

MEMBERSHIPS = "memberships"
OPEN = "open "
_OPEN_STEPS = tuple(OPEN + shard for shard in LIVE_SHARDS)

_LIVE_KEY = {"live_shard": "S", "connected_at": "N", "connection_id": "S"}
_MEMBER_KEY = {"channel": "S", "connection_id": "S"}

_log = logging.getLogger("ws_lambda")


@dataclass(frozen=True)
class Place:
    """Where a page begins."""

    step: str
    key: dict[str, dict[str, str]] | None = None
    """DynamoDB's key of the row before it; None for the step's beginning."""


def steps_of(walked: range) -> tuple[str, ...]:
    """What a walk does, in order. Memberships come in as many parts as there are turns, or all together."""
    parts = sorted(round_robin.places(walked))
    whole = len(parts) == round_robin.TURNS
    rosters = (MEMBERSHIPS,) if whole else tuple(f"{MEMBERSHIPS} {part}" for part in parts)
    return (*_OPEN_STEPS, *rosters)


@dataclass
class Checkpoint:
    """How far the walks have come."""

    name: str
    done: int
    """The last turn that this run is to come to."""

    walks: list[tuple[range, Place | None]] = field(default_factory=list)
    """What is to be walked now: turns, and where to begin. One that was cut short comes first."""

    died: bool = False
    """Whether the last run neither ended nor left a place: it was killed."""

    @classmethod
    def take(cls, *, whole: bool) -> "Checkpoint":
        """Reads the position, and notes that a run has begun. If it dies where it goes on, the next one does not."""
        name = WHOLE if whole else SCHEDULE
        stored = cursors.read(name)
        done, cut = _done(stored), _cut_short(stored)
        if stored and not done and not cut and not stored.get("began"):
            _log.warning("The position %r of %r fits nothing here: the walk begins anew", stored, name)
        walks: list[tuple[range, Place | None]] = [cut] if cut else []
        if not (whole and cut):
            following = cut[0].stop - 1 if cut else done
            left = round_robin.everybodys(clock.now()) if whole else round_robin.due(following, clock.now())
            walks.append((left, None))  # with nobody's turn in it too: some work is for every run
        last = walks[-1][0].stop - 1
        one = cls(name, last, walks, died=bool(stored.get("began")))
        one._write({"done": last, "began": True})
        return one

    def leave(self, place: Place) -> None:
        """Notes where the walk that is under way was cut short."""
        walked = self.walks[0][0]
        last = walked.stop - 1
        walk = {"first": walked.start, "last": last, "step": place.step, "key": place.key}
        self._write({"done": last, "walk": walk})

    def finish(self) -> None:
        """Notes that all has been walked."""
        if self.name == WHOLE:
            cursors.clear(self.name)
        else:
            self._write({"done": self.done})

    def _write(self, position: dict[str, Any]) -> None:
        cursors.write(self.name, position)


def fits(key: Any, step: str) -> bool:
    """Whether a stored key is one that a query or scan of that step can start after."""
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
    """The walk that a run had no time to end, if what is stored of it fits."""
    walk = stored.get("walk")
    if not isinstance(walk, Mapping):
        return None
    first, last, step, key = (walk.get(name) for name in ("first", "last", "step", "key"))
    if not (isinstance(first, int) and isinstance(last, int) and -1 <= last - first < round_robin.TURNS):
        return None
    walked = range(first, last + 1)
    if step not in steps_of(walked) or last > round_robin.turn_at(clock.now()):
        return None
    if key is not None and not fits(key, str(step)):
        _log.warning("The stored key %r is none of %r: that part is walked anew", key, step)
        key = None
    return walked, Place(str(step), key)
