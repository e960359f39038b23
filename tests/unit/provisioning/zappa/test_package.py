"""The zip for Lambda."""

import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.unit.provisioning.zappa.conftest import Environment
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa.package import check_runtime, repack
from ws_lambda.provisioning.zappa.trim import PackageOptions

TAG = sys.implementation.cache_tag


def packed(environment: Environment, archive: Path, options: PackageOptions | None = None) -> dict[str, bytes]:
    environment.zip(archive)
    repack(archive, site_packages=environment.site_packages, project=environment.project, options=options)
    with zipfile.ZipFile(archive) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def test_bytecode_is_hash_based_and_unchecked(environment: Environment, tmp_path: Path) -> None:
    files = packed(environment, tmp_path / "a.zip")
    for name in ("library/__init__.pyc", f"app/__pycache__/settings.{TAG}.pyc"):
        assert files[name][:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(files[name][4:8], "little") == 0b01  # hash-based, not checked against the source
    assert "library/__init__.py" not in files
    assert "app/settings.py" in files


def test_the_compiled_package_loads_whatever_date_its_files_have(environment: Environment, tmp_path: Path) -> None:
    packed(environment, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as zipped:
        zipped.extractall(tmp_path / "task")
    asked = "import app.settings as s, library; print(s.__cached__, library.__file__, library.VALUE, s.LANGUAGE_CODE)"
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'task')!r}); {asked}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-v", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-2:] == ["1", "en-us"]
    assert f"settings.{TAG}.pyc matches" in done.stderr
    assert not re.search(rf"code object from '{tmp_path / 'task'}[^']*\.py'", done.stderr), "a source was compiled"


def test_the_same_sources_give_the_same_bytes(environment: Environment, tmp_path: Path) -> None:
    packed(environment, tmp_path / "a.zip")
    packed(environment, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_lambda_may_read_every_file(environment: Environment, tmp_path: Path) -> None:
    packed(environment, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as zipped:
        assert {info.external_attr >> 16 & 0o555 for info in zipped.infolist()} == {0o555}


def test_sources_of_packages_stay_when_wanted(environment: Environment, tmp_path: Path) -> None:
    files = packed(environment, tmp_path / "a.zip", PackageOptions(sources=True))
    assert "library/__init__.py" in files
    assert f"library/__pycache__/__init__.{TAG}.pyc" in files


def test_a_file_that_does_not_compile_stays_as_it_is(environment: Environment, tmp_path: Path) -> None:
    environment.install("odd", {"odd/template.py": "class {{ name }}: pass"}, asked_for=True)
    assert packed(environment, tmp_path / "a.zip")["odd/template.py"] == b"class {{ name }}: pass"


def test_a_package_that_is_too_big_stops_the_deploy_and_lists_its_largest_parts(
    environment: Environment, tmp_path: Path
) -> None:
    with pytest.raises(ProvisioningError, match=r"the limit is 0\.0001 MB.*app"):
        packed(environment, tmp_path / "a.zip", PackageOptions(max_megabytes=0.0001))


def test_the_interpreter_has_to_be_the_functions() -> None:
    check_runtime(f"python3.{sys.version_info.minor}")
    with pytest.raises(ProvisioningError, match=r"python2\.7"):
        check_runtime("python2.7")
