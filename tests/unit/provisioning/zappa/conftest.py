"""A small environment and the zip that Zappa would make of it."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest


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
