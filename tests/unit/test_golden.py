"""The golden events: each says where it is from."""

import json

import pytest

from tests.golden import FOLDER

EVENTS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json"))


@pytest.mark.parametrize("name", EVENTS)
def test_each_names_its_source(name: str) -> None:
    case = json.loads((FOLDER / name).read_text())
    source = case.get("source")
    assert (isinstance(source, str) and " " in source.strip()) or str(source).startswith("https://"), (
        f'Put the page or the recording that the event is from into "source" of tests/events/{name}.'
    )
    assert isinstance(case.get("event"), dict), f'The event itself belongs into "event" of tests/events/{name}.'
