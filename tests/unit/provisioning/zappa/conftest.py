"""A small environment and the zip that Zappa would make of it; the repository's own settings, loaded."""

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from zappa.cli import ZappaCLI

from tests.unit.provisioning.zappa.deployed import ROOT, Load
from ws_lambda.provisioning.zappa import hooks
from ws_lambda.testing.moto_speed import quick_mock


@dataclass
class Environment:
    """Distributions installed into a directory, a project beside it."""

    site_packages: Path
    project: Path
    entries: dict[str, str] = field(default_factory=dict)

    def install(
        self, name: str, files: Mapping[str, str], *, requires: Sequence[str] = (), asked_for: bool = False
    ) -> None:
        info = self.site_packages / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        lines = [f"Requires-Dist: {one}" for one in requires]
        (info / "METADATA").write_text(
            "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *lines, ""])
        )
        (info / "RECORD").write_text("".join(f"{path},,\n" for path in [*files, f"{info.name}/METADATA"]))
        if asked_for:
            (info / "REQUESTED").touch()
        for path, text in files.items():
            (self.site_packages / path).parent.mkdir(parents=True, exist_ok=True)
            (self.site_packages / path).write_text(text)
        self.entries.update(files)

    def write(self, path: str, text: str) -> None:
        (self.project / path).parent.mkdir(parents=True, exist_ok=True)
        (self.project / path).write_text(text)
        self.entries[path] = text

    def zip(self, archive: Path) -> Path:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, text in self.entries.items():
                zipped.writestr(name, text)
        return archive


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Zappa with something of its own, and one library that the project asked for, with something of its own."""
    found = Environment(tmp_path / "site-packages", tmp_path / "project")
    found.install(
        "zappa",
        {"zappa/__init__.py": "", "zappa/handler.py": "import werkzeug", "zappa/cli.py": "import troposphere"},
        requires=["troposphere", "werkzeug", "PyYAML", "helper"],
        asked_for=True,
    )
    found.install("troposphere", {"troposphere/__init__.py": "", "troposphere/s3.py": ""})
    found.install("werkzeug", {"werkzeug/__init__.py": ""}, requires=["MarkupSafe>=2"])
    found.install("MarkupSafe", {"markupsafe/__init__.py": ""})
    found.install("PyYAML", {"yaml/__init__.py": ""})
    found.install("helper", {"helper.py": ""})
    found.install(
        "library", {"library/__init__.py": "VALUE = 1\n", "library/hints.pyi": ""}, requires=["helper"], asked_for=True
    )
    found.write("app/__init__.py", "")
    found.write("app/settings.py", "LANGUAGE_CODE = 'en-us'\n")
    return found


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads the repository's own settings, changed as told, as the `zappa` command would."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "serverless_config", tmp_path / "serverless_config")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    def loaded(command: str = "template", stage: str = "dev", **changes: Any) -> Any:
        settings = json.loads((ROOT / "zappa_settings.json").read_text())
        settings["dev"]["runtime"] = f"python3.{sys.version_info.minor}"
        settings[stage].update(changes)
        (tmp_path / "zappa_settings.json").write_text(json.dumps(settings))
        cli = ZappaCLI()
        cli.api_stage, cli.command, cli.vargs = stage, command, {}
        cli.load_settings()
        hooks.settings(cli)
        return cli

    with quick_mock():
        yield loaded
