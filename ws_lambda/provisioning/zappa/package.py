"""The zip for Lambda: trimmed, compiled to bytecode that Python uses, and tested before the upload.

Zappa dates every entry 1980. The .pyc files that it packs then never match their sources, so Python ignores them and
compiles again on every cold start. The .pyc files here are unchecked and hash-based (PEP 552): Python loads them
without reading the sources. The project's sources stay in the package, for tracebacks.
"""

import compileall
import os
import re
import stat
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa import service_models
from ws_lambda.provisioning.zappa.trim import PackageOptions, Sources, Trim

LAMBDA_ROOT = "/var/task"
DATE = (1980, 1, 1, 0, 0, 0)
"""The date of all entries, so that the same sources give the same bytes."""


@dataclass(frozen=True, kw_only=True)
class PackageReport:
    """The size of the package before and after."""

    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.bytes_before / 1e6:.1f} MB in {self.files_before:,} files -> "
            f"{self.bytes_after / 1e6:.1f} MB in {self.files_after:,} files, {self.seconds:.0f} s"
        )


def repack(
    archive: Path, *, site_packages: Path, project: Path, options: PackageOptions | None = None
) -> PackageReport:
    """Replaces a zip that Zappa made with a trimmed and compiled one.

    Args:
        archive: the zip, changed in place.
        site_packages: the directory of the environment that Zappa packed.
        project: the directory that Zappa packed.
        options: the `package` block of the stage.

    Raises:
        ProvisioningError: if the result is bigger than `options.max_megabytes`.
    """
    options = options or PackageOptions()
    started = time.monotonic()
    before = archive.stat().st_size
    with zipfile.ZipFile(archive) as zipped:
        # Zappa adds an entry twice if the project and the environment both have the file. The last one counts.
        files = {info.filename: zipped.read(info) for info in zipped.infolist() if not info.is_dir()}
    own = {name for name in files if (project / name).is_file()}
    trim = Trim.plan(site_packages, Sources.read(files, own), options)
    kept = {name: data for name, data in files.items() if not trim.drops(name)}
    kept |= service_models.reduced(kept, trim.services)
    with tempfile.TemporaryDirectory(prefix="ws-lambda-package-") as scratch:
        ours, theirs = Path(scratch, "project"), Path(scratch, "packages")
        _unpack({name: data for name, data in kept.items() if options.sources or name in own}, ours)
        _unpack({name: data for name, data in kept.items() if not (options.sources or name in own)}, theirs)
        compile_tree(ours)
        compile_tree(theirs, instead=True)
        count = _zip([ours, theirs], archive)
    size = archive.stat().st_size
    if size > options.max_megabytes * 1e6:
        raise ProvisioningError(
            f"The package has {size / 1e6:.1f} MB, and the limit is {options.max_megabytes:g} MB "
            '("package": {"max_megabytes": ...}). Its biggest parts: ' + ", ".join(_biggest(archive))
        )
    return PackageReport(
        files_before=len(files),
        files_after=count,
        bytes_before=before,
        bytes_after=size,
        seconds=time.monotonic() - started,
    )


def compile_tree(root: Path, *, instead: bool = False) -> None:
    """Compiles every source in a directory to unchecked hash-based bytecode.

    A file that does not compile, such as a code template, stays as it is.

    Args:
        root: the directory.
        instead: whether the bytecode replaces the source. Otherwise it goes to `__pycache__`.
    """
    compileall.compile_dir(
        root,
        maxlevels=50,
        force=True,
        quiet=2,
        legacy=instead,
        stripdir=str(root),
        prependdir=LAMBDA_ROOT,
        workers=os.cpu_count() or 1,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if instead:
        for compiled in root.rglob("*.pyc"):
            compiled.with_suffix(".py").unlink()


def version_of(runtime: str) -> tuple[int, ...]:
    """The version in a text, such as (3, 11) for the runtime `"python3.11"`."""
    return tuple(int(part) for part in re.findall(r"\d+", runtime))


def check_runtime(runtime: str) -> None:
    """Checks that this interpreter has the version of the function's runtime, for which it compiles.

    Raises:
        ProvisioningError: it has another version. `runtime` is Lambda's name, such as `"python3.11"`.
    """
    mine = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if runtime != mine:
        raise ProvisioningError(
            f"The runtime of the function is {runtime}, and this is {mine}. Deploy from an environment with {runtime}, "
            f'or set "runtime": "{mine}".'
        )


def _unpack(files: dict[str, bytes], root: Path) -> None:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _zip(roots: Iterable[Path], archive: Path) -> int:
    paths = sorted(
        (path.relative_to(root).as_posix(), path) for root in roots for path in root.rglob("*") if path.is_file()
    )
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name, path in paths:
            info = zipfile.ZipInfo(name, DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            # Lambda runs as another user, so everybody must be able to read the files.
            info.external_attr = (stat.S_IFREG | 0o755) << 16
            zipped.writestr(info, path.read_bytes())
    return len(paths)


def _biggest(archive: Path) -> Iterable[str]:
    sizes: dict[str, int] = {}
    with zipfile.ZipFile(archive) as zipped:
        for info in zipped.infolist():
            top = info.filename.partition("/")[0]
            sizes[top] = sizes.get(top, 0) + info.compress_size
    for top, size in sorted(sizes.items(), key=lambda item: -item[1])[:5]:
        yield f"{top} {size / 1e6:.1f} MB"
