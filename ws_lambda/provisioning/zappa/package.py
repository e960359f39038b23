"""The zip that goes to Lambda: trimmed, compiled so that the bytecode counts, and tried out before upload.

Zappa dates every entry 1980, so that no .pyc it packs is ever newer than its source: Python throws each of them
away and compiles afresh on every cold start. Here they are unchecked hash-based ones (PEP 552), which Python
loads without looking at the source. The project's sources stay, for tracebacks.
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
"""One date for all entries: the same sources give the same bytes."""


@dataclass(frozen=True, kw_only=True)
class PackageReport:
    """What packing did."""

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
    """Replaces a zip that Zappa made by a trimmed and compiled one.

    Args:
        archive: the zip, changed in place.
        site_packages: of the environment that Zappa packed.
        project: the directory that Zappa packed.
        options: the `package` block of the stage.

    Raises:
        ProvisioningError: if the result is bigger than `options.max_megabytes`.
    """
    options = options or PackageOptions()
    started = time.monotonic()
    before = archive.stat().st_size
    with zipfile.ZipFile(archive) as zipped:
        # Zappa adds an entry twice where project and environment both have the file; the last one counts.
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
            f"The package has {size / 1e6:.1f} MB, more than the {options.max_megabytes:g} MB that "
            '"package": {"max_megabytes": ...} allows. Its biggest parts: ' + ", ".join(_biggest(archive))
        )
    return PackageReport(
        files_before=len(files),
        files_after=count,
        bytes_before=before,
        bytes_after=size,
        seconds=time.monotonic() - started,
    )


def compile_tree(root: Path, *, instead: bool = False) -> None:
    """Compiles every source under a directory to unchecked hash-based bytecode.

    A file that does not compile (a template of code, say) stays as it is, as Python itself would leave it.

    Args:
        root: the directory.
        instead: the bytecode takes the place of the source, rather than its own in `__pycache__`.
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
    """The version in a text: that of Python in a runtime (`"python3.11"`)."""
    return tuple(int(part) for part in re.findall(r"\d+", runtime))


def check_runtime(runtime: str) -> None:
    """Bytecode and compiled extensions belong to one version of Python.

    Raises:
        ProvisioningError: if this interpreter is not of the function's runtime (`"python3.11"`).
    """
    mine = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if runtime != mine:
        raise ProvisioningError(
            f"The function is to run on {runtime}, this is {mine}: deploy from an environment of {runtime}, "
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
            # Lambda runs as another user: all must be able to read.
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
