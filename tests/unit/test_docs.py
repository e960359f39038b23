"""What is said in two places is the same in both."""

import ast
import re
from dataclasses import fields
from pathlib import Path

from ws_lambda.conf import DEFAULTS, Settings
from ws_lambda.views import WebSocketView

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_every_setting_is_documented_with_its_default():
    rows = re.findall(r"^\| ([A-Z_]+) \| `(.+?)` \|", (DOCS / "settings.md").read_text(), re.MULTILINE)
    documented = {name: ast.literal_eval(default) for name, default in rows}
    assert documented == {field.name: getattr(DEFAULTS, field.name) for field in fields(Settings)}


def test_every_attribute_of_a_view_is_listed():
    listed = set(re.findall(r"`(\w+)`", (DOCS / "settings.md").read_text().partition("## Attributes of a view")[2]))
    own = {name for name in vars(WebSocketView) if re.fullmatch(r"[A-Z_]{3,}|\w+_required|\w+_key|aws_\w+_id", name)}
    assert own <= listed


def test_the_commands_of_the_readme_are_targets_of_the_makefile():
    said = set(re.findall(r"make (\w+)", (ROOT / "README.md").read_text()))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert said
    assert said <= targets


def test_links_between_documents_lead_somewhere():
    for page in [ROOT / "README.md", *DOCS.glob("*.md"), *(ROOT / "serverless_config").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_files_and_tests_that_documents_name_exist():
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for named in re.findall(
            r"`((?:ws_lambda|tests|serverless_config|project|benchmarks)/[\w./]+)`", page.read_text()
        ):
            assert (ROOT / named).exists(), f"{page.name} names {named}"


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120
