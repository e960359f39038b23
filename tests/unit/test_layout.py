"""The folder listing: no file name of the package means two things, and unit tests stand where their modules do."""

from collections import defaultdict
from pathlib import Path

import ws_lambda

PACKAGE = Path(ws_lambda.__file__).parent
TESTS = Path(__file__).parents[1]

OF_DJANGO = {"apps", "checks", "models", "urls"}
"""Names that Django gives its own meaning in every app."""

SUBJECTS = {
    "channel_permissions", "fanout_jobs", "gateways", "messages", "queryset", "rate_limits", "sessions",
    "stats", "tokens",
}  # fmt: skip
"""Things that several rooms have their own side of: the rows, what they do, how they are judged, their admin pages."""


def test_no_file_name_has_two_meanings() -> None:
    rooms: dict[str, list[str]] = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        rooms[path.stem].append(path.relative_to(PACKAGE).as_posix())
    repeated = {name: sorted(places) for name, places in rooms.items() if len(places) > 1}
    assert {name for name in repeated if not name.startswith("__")} <= OF_DJANGO | SUBJECTS, repeated
    assert repeated.keys() >= SUBJECTS, "a name that is no longer repeated needs no exception"


def test_each_folder_of_unit_tests_is_that_of_a_room() -> None:
    for folder in (TESTS / "unit").rglob("*"):
        if folder.is_dir() and (folder / "__init__.py").exists():
            room = folder.relative_to(TESTS / "unit").as_posix()
            assert any((root / room).exists() or (root / f"{room}.py").exists() for root in (PACKAGE, PACKAGE.parent))
