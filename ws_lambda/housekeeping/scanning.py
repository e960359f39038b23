"""The walk of a run: step by step, page by page."""

from collections.abc import Iterator

from ws_lambda.housekeeping import paging, round_robin
from ws_lambda.housekeeping.checkpoints import OPEN, Checkpoint, Place, steps_of
from ws_lambda.housekeeping.inspection import Inspector
from ws_lambda.housekeeping.orphans import OpenIds, remove_orphans
from ws_lambda.housekeeping.results import Pruned


class Scan:
    """The work of one run."""

    def __init__(self, pruned: Pruned, *, whole: bool, judging: bool) -> None:
        self._pruned = pruned
        self._inspector = Inspector(pruned, whole=whole, judging=judging)

    def go_on(self, position: Checkpoint) -> Iterator[Place | None]:
        """Does the work; after each page yields where the next one begins, None at a walk's end."""
        while position.walks:
            walked, begin = position.walks[0]
            steps = steps_of(walked)
            first = steps.index(begin.step) if begin else 0
            living = OpenIds()
            for number, step in enumerate(steps[first:], first):
                key = begin.key if begin and number == first else None
                for following in self._step(step, key, round_robin.places(walked), living):
                    if following:
                        yield Place(step, following)
                    else:
                        yield Place(steps[number + 1]) if number + 1 < len(steps) else None
            position.walks.pop(0)

    def _step(
        self, step: str, key: paging.Key | None, whose: frozenset[int], living: OpenIds
    ) -> Iterator[paging.Key | None]:
        """Does one step page by page; yields the key to go on from, None at its end. An empty page is no work."""
        if step.startswith(OPEN):
            shard = step.removeprefix(OPEN)
            for page in paging.open_connections(shard, key):
                if key is None:
                    living.note(shard, page)
                self._inspector.at(page.rows, whose)
                if page.rows:
                    yield page.following
            return
        living.complete()
        for page in paging.memberships(step, key):
            self._pruned.orphans += remove_orphans(page.rows, living)
            if page.rows:
                yield page.following
