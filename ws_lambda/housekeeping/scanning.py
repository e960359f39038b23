"""The scan of a run, step by step and page by page."""

from collections.abc import Iterator

from ws_lambda.housekeeping import paging, round_robin
from ws_lambda.housekeeping.checkpoints import OPEN, Checkpoint, Place, steps_of
from ws_lambda.housekeeping.inspection import Inspector
from ws_lambda.housekeeping.orphans import OpenIds, remove_orphans
from ws_lambda.housekeeping.results import Pruned


class Scan:
    """The scan of one run."""

    def __init__(self, pruned: Pruned, *, whole: bool, judging: bool) -> None:
        self._pruned = pruned
        self._inspector = Inspector(pruned, whole=whole, judging=judging)

    def go_on(self, checkpoint: Checkpoint) -> Iterator[Place | None]:
        """Scans. After each page it yields where the next one begins; None at the end of a scan."""
        while checkpoint.scans:
            turns, begin = checkpoint.scans[0]
            steps = steps_of(turns)
            first = steps.index(begin.step) if begin else 0
            open_ids = OpenIds()
            for number, step in enumerate(steps[first:], first):
                key = begin.key if begin and number == first else None
                for following in self._step(step, key, round_robin.groups(turns), open_ids):
                    if following:
                        yield Place(step, following)
                    else:
                        yield Place(steps[number + 1]) if number + 1 < len(steps) else None
            checkpoint.scans.pop(0)

    def _step(
        self, step: str, key: paging.Key | None, groups: frozenset[int], open_ids: OpenIds
    ) -> Iterator[paging.Key | None]:
        """Does one step page by page. Yields the key to continue from, None at the end; nothing for empty pages."""
        if step.startswith(OPEN):
            shard = step.removeprefix(OPEN)
            for page in paging.open_connections(shard, key):
                if key is None:
                    open_ids.note(shard, page)
                self._inspector.at(page.rows, groups)
                if page.rows:
                    yield page.following
            return
        open_ids.complete()
        for page in paging.memberships(step, key):
            self._pruned.orphans += remove_orphans(page.rows, open_ids)
            if page.rows:
                yield page.following
