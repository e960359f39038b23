"""The walk of a run: step by step, page by page."""

from collections.abc import Iterator

from ws_lambda.housekeeping import pages, turns
from ws_lambda.housekeeping.looking import Look
from ws_lambda.housekeeping.orphans import Living, remove_orphans
from ws_lambda.housekeeping.positions import OPEN, Place, Position, steps_of
from ws_lambda.housekeeping.results import Pruned


class Walk:
    """The work of one run."""

    def __init__(self, pruned: Pruned, *, whole: bool, judging: bool) -> None:
        self._pruned = pruned
        self._look = Look(pruned, whole=whole, judging=judging)

    def go_on(self, position: Position) -> Iterator[Place | None]:
        """Does the work; after each page yields where the next one begins, None at a walk's end."""
        while position.walks:
            walked, begin = position.walks[0]
            steps = steps_of(walked)
            first = steps.index(begin.step) if begin else 0
            living = Living()
            for number, step in enumerate(steps[first:], first):
                key = begin.key if begin and number == first else None
                for following in self._step(step, key, turns.places(walked), living):
                    if following:
                        yield Place(step, following)
                    else:
                        yield Place(steps[number + 1]) if number + 1 < len(steps) else None
            position.walks.pop(0)

    def _step(
        self, step: str, key: pages.Key | None, whose: frozenset[int], living: Living
    ) -> Iterator[pages.Key | None]:
        """Does one step page by page; yields the key to go on from, None at its end. An empty page is no work."""
        if step.startswith(OPEN):
            shard = step.removeprefix(OPEN)
            for page in pages.open_connections(shard, key):
                if key is None:
                    living.note(shard, page)
                self._look.at(page.rows, whose)
                if page.rows:
                    yield page.following
            return
        living.complete()
        for page in pages.memberships(step, key):
            self._pruned.orphans += remove_orphans(page.rows, living)
            if page.rows:
                yield page.following
