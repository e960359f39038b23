"""A pytest plugin: each worker of xdist begins with its share of the long tests.

Otherwise one worker would have them all in its queue, and the others nothing to do at the end.
"""

import itertools

import pytest

LONG = (
    "tests/e2e/test_deploy", "tests/e2e/test_adopt", "tests/e2e/", "tests/browser/", "tests/unit/local/",
    "tests/unit/testing/test_documentation",
)  # fmt: skip
"""Files with tests that take seconds to minutes each, the longest first. The tests of one entry share fixtures."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sorts the tests by worker. `--dist=worksteal` gives each worker an equal part of the list, in order."""
    groups: list[list[pytest.Item]] = [[] for _ in LONG]
    rest: list[pytest.Item] = []
    for item in items:
        group = (group for group, where in zip(groups, LONG, strict=True) if item.nodeid.startswith(where))
        next(group, rest).append(item)
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    turns = itertools.cycle([*range(workers), *reversed(range(workers))])
    for turn, group in zip(turns, groups, strict=False):
        shares[turn] += group
    left = len(items)
    items.clear()
    for number, share in enumerate(shares):
        size = left // (workers - number)
        more = max(0, size - len(share))
        items += share + rest[:more]
        left -= len(share) + len(rest[:more])
        del rest[:more]
