"""Facts that are stated in two places are the same in both."""

import ast
import json
import re
from dataclasses import fields
from pathlib import Path

from benchmarks import report, run
from ws_lambda.conf import DEFAULTS, Settings
from ws_lambda.views import WebSocketView

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_every_setting_is_documented_with_its_default():
    rows = re.findall(r"^\| ([A-Z_]+) \| `(.+?)` \|", (DOCS / "settings.md").read_text(), re.MULTILINE)
    documented = {name: ast.literal_eval(default) for name, default in rows}
    settings = {field.name: getattr(DEFAULTS, field.name) for field in fields(Settings)}
    names = documented.keys() | settings.keys()
    different = sorted(name for name in names if documented.get(name, ...) != settings.get(name, ...))
    assert documented == settings, f"docs/settings.md and Settings in ws_lambda/conf.py differ in {different}."


def test_every_attribute_of_a_view_is_listed():
    listed = set(re.findall(r"`(\w+)`", (DOCS / "settings.md").read_text().partition("## Attributes of a view")[2]))
    own = {name for name in vars(WebSocketView) if re.fullmatch(r"[A-Z_]{3,}|\w+_required|\w+_key|aws_\w+_id", name)}
    assert own <= listed


def test_the_commands_of_the_readme_are_targets_of_the_makefile():
    said = set(re.findall(r"make (\w+)", (ROOT / "README.md").read_text()))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert said
    assert said <= targets


def test_the_package_names_the_versions_that_the_tests_have_run_on():
    rows = re.findall(r"^\| (3\.\d+) \| ([\d., ]+) \|", (DOCS / "testing.md").read_text(), re.MULTILINE)
    named = re.findall(r'"(.+) :: (\d+\.\d+)"', (ROOT / "pyproject.toml").read_text())
    assert {version for kind, version in named if kind.endswith("Python")} == {python for python, _ in rows}
    assert {version for kind, version in named if kind.endswith("Django")} == {
        django for _, several in rows for django in several.split(", ")
    }


def test_links_between_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "serverless_config").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_files_and_tests_that_documents_name_exist():
    for page in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]:
        for named in re.findall(
            r"`((?:ws_lambda|tests|serverless_config|project|benchmarks)/[\w./]+)`", page.read_text()
        ):
            assert (ROOT / named).exists(), f"{page.name} names {named}"


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_the_page_of_figures_is_what_was_measured():
    assert (DOCS / "measured.md").read_text() == report.page(json.loads(run.RESULTS.read_text()))


def test_the_readme_quotes_the_measured_figures():
    results = json.loads(run.RESULTS.read_text())
    fanout, sockets = results["fanout"], results["sockets"]
    costs, peaks = ([one[what] for one in results["growth"]] for what in ("cpu_us", "peak_mb"))
    readme = " ".join((ROOT / "README.md").read_text().split())
    for said in (
        f"**{round(fanout['ours_per_s'], -3):,} deliveries/s**",
        f"{round(fanout['boto3_10_per_s'], -1):,}/s of boto3 with ten threads",
        f"({round(fanout['boto3_1_per_s'], -1):,}/s with one)",
        f"{round(fanout['aiohttp_per_s'], -2):,}/s of aiohttp",
        f"over TLS {round(fanout['variants']['tls']['ours_per_s'], -3):,}/s",
        f"sent to in {sockets['sender_seconds']} s",
        f"they have it after {sockets['seconds_to_reach_all']} s",
        f"takes {results['signing']['ours_us']:.1f} µs (botocore: {results['signing']['botocore_us']:.0f})",
        f"costs {min(costs):.0f} to {max(costs):.0f} µs of CPU",
        f"takes {min(peaks):.0f} to {max(peaks):.0f} MB",
        f"in {results['roster']['ours_ms_per_10k']:.0f} ms of CPU (boto3: {results['roster']['boto3_ms_per_10k']:.0f})",
    ):
        assert said in readme, f'benchmarks/results.json has it that the README should say "{said}"'


def test_every_threat_has_a_module_that_attacks():
    rows = dict(re.findall(r"^\| S(\d+) \|.*\| (`[^|]+`) \|$", (DOCS / "security.md").read_text(), re.MULTILINE))
    numbers = [int(number) for number in rows]
    assert numbers == sorted(numbers)
    assert {*range(1, 19)} <= set(numbers)
    for number, proofs in rows.items():
        assert f"`tests/security/test_s{int(number):02}_" in proofs


def numbers_in(text: str) -> set[int]:
    """`24`, `26 and 27`, `13–20` and `25, 38`."""
    named: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:–(\d+))?", text):
        named |= set(range(int(first), int(last or first) + 1))
    return named


def test_every_case_of_the_contract_is_named_by_a_test_and_no_test_names_another():
    promised = {int(number) for number in re.findall(r"^(\d+)\. ", (DOCS / "contract.md").read_text(), re.MULTILINE)}
    named: set[int] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for numbers in re.findall(r"docs/contract\.md (\d[\d–, and]*)", path.read_text()):
            named |= numbers_in(numbers)
    assert named == promised


def test_no_document_is_named_that_is_not_in_the_repository():
    for path in [
        *(ROOT / "ws_lambda").rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
        *ROOT.glob("*.md"),
        *DOCS.glob("*.md"),
    ]:
        for named in re.findall(r"\b((?:docs/)?[\w-]+\.md)\b", path.read_text()):
            places = (ROOT / named, DOCS / named, path.parent / named)
            assert any(place.exists() for place in places), f"{path.relative_to(ROOT)} names {named}"


def test_every_room_is_told_of_and_none_that_is_not_there():
    rooms = (DOCS / "architecture.md").read_text().partition("## Rooms")[2].partition("##")[0]
    told = {
        name.rstrip("/")
        for row in re.findall(r"^\| (`.+?) \|", rooms, re.MULTILINE)
        for name in re.findall(r"`([\w/]+)`", row)
    }
    there = {
        path.stem for path in (ROOT / "ws_lambda").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert told <= there
    assert there - told <= SMALL_MODULES


SMALL_MODULES = {"__init__", "apps", "aws", "checks", "clock", "conf", "exceptions", "snapstart", "telemetry", "urls"}
"""What every Django package has, and what a name says by itself."""
