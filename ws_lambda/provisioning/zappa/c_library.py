"""Checks that compiled packages work with the C library of the function, which is often older than the one here.

pip installs the wheel that suits the machine it runs on. A wheel that was built for a newer glibc than Lambda's passes
the tryout and fails in the function, for some packages only at the first broadcast.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ws_lambda.exceptions import ProvisioningError

AMAZON_LINUX_2, AMAZON_LINUX_2023 = (2, 26), (2, 34)
"""The glibc of Lambda's runtimes. python3.12 was the first one on Amazon Linux 2023.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

_OLD_NAMES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_TAG = re.compile(r"^Tag: .*-(manylinux1|manylinux2010|manylinux2014|manylinux_(\d+)_(\d+))_", re.MULTILINE)

Version = tuple[int, ...]


def of_runtime(python: Version) -> Version:
    """The glibc of Lambda's runtime for a version of Python."""
    return AMAZON_LINUX_2023 if python >= (3, 12) else AMAZON_LINUX_2


def check(archive: Path, there: Version) -> None:
    """Checks the wheels from which the packages of a zip were installed.

    Args:
        archive: the zip.
        there: the version of glibc where the package will run.

    Raises:
        ProvisioningError: a wheel was built for a newer glibc.
    """
    late = [f"{name} (glibc {_text(needed)})" for name, needed in _needed(archive) if needed > there]
    if late:
        raise ProvisioningError(
            f"These packages need a newer C library than the function's, glibc {_text(there)}: {', '.join(late)}. "
            'Set "runtime" to python3.12 or newer and deploy from such an environment, or install older wheels.'
        )


def _needed(archive: Path) -> Iterator[tuple[str, Version]]:
    """Each distribution whose wheel names a glibc, with the oldest version that the wheel supports."""
    with zipfile.ZipFile(archive) as zipped:
        for path in zipped.namelist():
            if not path.endswith(".dist-info/WHEEL"):
                continue
            tags = _TAG.findall(zipped.read(path).decode())
            if versions := [_OLD_NAMES.get(name) or (int(major), int(minor)) for name, major, minor in tags]:
                yield path.removesuffix(".dist-info/WHEEL"), min(versions)


def _text(version: Version) -> str:
    return ".".join(map(str, version))
