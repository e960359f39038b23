"""Wheels for a C library that Lambda does not have."""

import zipfile
from pathlib import Path

import pytest

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa import c_library

CURL, BOTH, OLD, PURE, LOCAL = (
    ["cp311-cp311-manylinux_2_28_x86_64"],
    ["cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux2014_x86_64"],
    ["cp36-abi3-manylinux1_x86_64"],
    ["py3-none-any"],
    ["cp311-cp311-linux_x86_64"],
)


def archive(folder: Path, *tags: str) -> Path:
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        lines = ["Wheel-Version: 1.0", *(f"Tag: {tag}" for tag in tags), ""]
        zipped.writestr("pycurl-7.49.0.dist-info/WHEEL", "\n".join(lines))
        zipped.writestr("other.py", "")
    return path


@pytest.mark.parametrize(("python", "glibc"), [((3, 11), (2, 26)), ((3, 12), (2, 34)), ((3, 14), (2, 34))])
def test_the_runtime_says_which_one_there_is(python: tuple[int, ...], glibc: tuple[int, ...]) -> None:
    assert c_library.of_runtime(python) == glibc


@pytest.mark.parametrize("tags", [BOTH, OLD, PURE, LOCAL, []])
def test_binaries_that_load_there_or_do_not_say_are_let_through(tmp_path: Path, tags: list[str]) -> None:
    c_library.check(archive(tmp_path, *tags), c_library.AMAZON_LINUX_2)


def test_binaries_that_do_not_load_there_are_named(tmp_path: Path) -> None:
    package = archive(tmp_path, *CURL)
    c_library.check(package, c_library.AMAZON_LINUX_2023)
    with pytest.raises(
        ProvisioningError, match=r"glibc 2\.26: pycurl-7\.49\.0 \(glibc 2\.28\)\. .*python3\.12 or newer"
    ):
        c_library.check(package, c_library.AMAZON_LINUX_2)
