"""README and docs are true."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import LazySettings

from ws_lambda.testing import WebSocketTestClient

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _code(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def urls_of_the_readme(settings: LazySettings) -> Iterator[None]:
    """The project's URLs are those of the README's example."""
    module = ModuleType("readme_urls")
    exec(_code(README, "python")[0], vars(module))  # noqa: S102
    sys.modules[module.__name__] = module
    settings.ROOT_URLCONF = module.__name__
    yield
    del sys.modules[module.__name__]


@pytest.mark.usefixtures("urls_of_the_readme")
def test_the_view_in_the_readme_runs(enter: Callable[..., WebSocketTestClient]) -> None:
    red, blue = enter("red"), enter("blue")
    red.send_json({"action": "chat_message", "message": "Hello"})
    assert red.receive_all() == [{"from": "red", "message": "Hello"}, {"ok": True}]
    assert blue.receive_all() == [{"from": "red", "message": "Hello"}]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 120


def test_every_make_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(
        re.findall(r"`?\bmake (\w+)", "".join(_code(README, "sh")) + "".join(re.findall(r"`make \w+`", README)))
    )
    assert named >= {"run", "test", "lint"}
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text())
    assert [link for link in links if ":" not in link and not (document.parent / link).exists()] == []


def test_the_client_documents_every_option() -> None:
    source = (ROOT / "ws_lambda/static/ws_lambda/client.js").read_text()
    defaults = re.search(r"export const DEFAULTS = \{(.*?)^\};", source, re.DOTALL | re.MULTILINE)
    assert defaults
    documented = (ROOT / "docs/client.md").read_text()
    options = re.findall(r"^  (\w+):", defaults.group(1), re.MULTILINE)
    assert len(options) > 10
    assert [name for name in options if not re.search(rf"`{name}\b", documented)] == []
