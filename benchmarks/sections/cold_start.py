"""Cold start: the zip as plain Zappa makes it, and as the deploy hook leaves it. Import and first CONNECT."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from tests.venvs import environment
from ws_lambda.provisioning.zappa.package import repack
from ws_lambda.provisioning.zappa.trim import PackageOptions
from ws_lambda.provisioning.zappa.tryout import drive

ROOT = Path(__file__).resolve().parents[2]
PACKED = ("project", "ws_lambda", "manage.py", "serverless_config")
HANDLER = "ws_lambda.lambda_handler.handler"
VARIABLES = {"DJANGO_SETTINGS_MODULE": "project.settings", "DJANGO_SECRET_KEY": "x" * 50}
RUNS = 9


def measure() -> dict[str, Any]:
    """The section of results.json."""
    venv = environment("deploy", "--editable", ".[zappa]")
    (site_packages,) = (venv / "lib").glob("python*/site-packages")
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "demo")
        _copy(project)
        plain = _package(project, venv)
        ours = Path(scratch, "ours.zip")
        shutil.copy(plain, ours)
        report = repack(ours, site_packages=site_packages, project=project, options=PackageOptions())
        kinds = {"plain": _unpacked(plain, Path(scratch, "1")), "ours": _unpacked(ours, Path(scratch, "2"))}
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for root in kinds.values():
            drive(root, handler=HANDLER, environment=VARIABLES)  # the disk's cache is not what is measured
        for _ in range(RUNS):
            for kind, root in kinds.items():
                times[kind].append(drive(root, handler=HANDLER, environment=VARIABLES).connect_ms)
    plain_ms, ours_ms = (statistics.median(times[kind]) for kind in ("plain", "ours"))
    return {
        "plain_ms": round(plain_ms),
        "ours_ms": round(ours_ms),
        "ratio": round(plain_ms / ours_ms, 1),
        "plain_mb": round(report.bytes_before / 1e6, 1),
        "ours_mb": round(report.bytes_after / 1e6, 1),
        "plain_files": report.files_before,
        "ours_files": report.files_after,
        "runs": RUNS,
    }


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What `make bench` prints."""
    return [
        ("cold start, plain Zappa", f"{result['plain_ms']} ms", ""),
        ("cold start, ours", f"{result['ours_ms']} ms", f"{result['ratio']}x faster, target: 3x"),
        ("package, plain Zappa", f"{result['plain_mb']} MB, {result['plain_files']:,} files", ""),
        ("package, ours", f"{result['ours_mb']} MB, {result['ours_files']:,} files", "<= 16 MB"),
    ]


def _copy(project: Path) -> None:
    project.mkdir()
    for name in PACKED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, project / name)
    stage = json.loads((ROOT / "zappa_settings.json").read_text())["dev"]
    # As Zappa does it by itself: no hook, and none of the keys that only the hook reads.
    for key in ("callbacks", "aws_environment_variables", "events", "attach_policy", "assume_policy"):
        stage.pop(key)
    (project / "zappa_settings.json").write_text(json.dumps({"dev": stage}))


def _package(project: Path, venv: Path) -> Path:
    variables = {
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "HOME": str(project),
        "VIRTUAL_ENV": str(venv),
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        # Packing needs nothing from AWS, nor from the package index; Zappa asks both all the same.
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    command = [venv / "bin" / "zappa", "package", "dev", "--output", "plain.zip"]
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return project / "plain.zip"


def _unpacked(archive: Path, root: Path) -> Path:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(root)
    return root
