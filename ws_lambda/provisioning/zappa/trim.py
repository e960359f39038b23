"""Finds what Lambda never imports from a Zappa package, using metadata and sources instead of lists of names.

Zappa packs the whole virtual environment, with its own command line. A distribution stays if an explicitly installed
one requires it, or if the project imports it. The others (troposphere, PyYAML, setuptools …) are removed. In those
that stay, data of services, languages and apps that the project does not use is removed.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib.metadata import Distribution, distributions
from pathlib import Path

ZAPPA_RUNTIME = ("boto3", "durationpy", "werkzeug")
"""The requirements of Zappa that `zappa.handler` imports."""

TOOLS = frozenset({"pip", "setuptools", "wheel", "zappa"})
"""Distributions that are no reason to keep others. Zappa's handler stays, see `NEVER_IMPORTED`."""

LAMBDA_HAS = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})
"""Distributions in Lambda's Python runtimes, for packages without boto3."""

AWS_SERVICES = frozenset({"acm", "apigatewaymanagementapi", "apigatewayv2", "dynamodb", "route53", "sqs", "sts"})
"""The botocore service models that ws_lambda itself uses on Lambda."""

NEVER_IMPORTED = (
    "*.exe",
    "*.pyc",
    "*.pyi",
    "*.pyx",
    "*.dist-info/INSTALLER",
    "*.dist-info/RECORD",
    "*.dist-info/REQUESTED",
    "boto3/examples/*",
    "botocore/data/*/examples-1.json*",
    "ws_lambda/local/*",
    "ws_lambda/provisioning/zappa/*",
    "ws_lambda/testing/*",
    "zappa/cli.py",
    "zappa/core.py",
    "zappa/letsencrypt.py",
)

OPTIONAL_PARTS = {
    "aws_lambda_powertools/event_handler/": r"powertools\.event_handler",
    "aws_lambda_powertools/utilities/parser/": r"powertools\.utilities\.parser",
    "aws_lambda_powertools/utilities/idempotency/": r"powertools\.utilities\.idempotency",
    "aws_lambda_powertools/utilities/kafka/": r"powertools\.utilities\.kafka",
    "django/contrib/admin/static/": r"django\.contrib\.admin",
    "django/contrib/gis/": r"django\.contrib\.gis",
    "django/contrib/postgres/": r"django\.contrib\.postgres",
}
"""Directory → the text in a source that shows that the directory is needed."""

SELF_CONTAINED = ("aws_lambda_powertools/", "boto3/", "botocore/", "django/", "zappa/")

SERVICES_BY_HELPER = {
    r"powertools\.utilities\.parameters": ("appconfigdata", "secretsmanager", "ssm"),
    r"powertools\.utilities\.feature_flags": ("appconfigdata",),
    r"zappa\.asynchronous": ("lambda", "sns"),
}
"""Libraries that create clients, so that the project does not name the service."""

_SERVICE = re.compile(r"""(?:client|resource|create_client)\(\s*(?:service_name\s*=\s*)?["']([a-z0-9-]+)["']""")
_LANGUAGE = re.compile(r"""^LANGUAGE_CODE\s*=\s*["']([\w-]+)["']""", re.MULTILINE)
_SWITCHES_LANGUAGE = re.compile(r"LocaleMiddleware|translation\.(?:activate|override)|i18n_patterns")


@dataclass(frozen=True, kw_only=True)
class PackageOptions:
    """The `package` block of a stage in `zappa_settings.json`."""

    boto3: bool = True
    """Whether boto3 and botocore are packed. Lambda's own load more slowly, and Lambda chooses their version."""

    keep: tuple[str, ...] = ()
    """Distributions to keep although nothing requires them."""

    drop: tuple[str, ...] = ()
    """More patterns of paths in the zip to remove."""

    aws_services: tuple[str, ...] = ()
    """botocore services to keep in addition to those that sources name in `client("...")`."""

    languages: tuple[str, ...] = ()
    """Translations to keep. Empty: the project's LANGUAGE_CODE, or all if the project can switch languages."""

    sources: bool = False
    """Whether the sources of installed packages are packed too, for packages that read them."""

    glibc: str = ""
    """The glibc of the function (`"2.34"`) if it is not that of Lambda's runtime, as with an emulator."""

    max_megabytes: float = 50.0
    """A bigger zip stops the deploy. Lambda itself allows 250 MB unpacked, with layers.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    @classmethod
    def read(cls, block: Mapping[str, object]) -> "PackageOptions":
        """Reads the options of a settings file.

        Raises:
            ValueError: for a key it does not know.
        """
        if unknown := set(block) - set(cls.__dataclass_fields__):
            known = ", ".join(sorted(cls.__dataclass_fields__))
            raise ValueError(f'"package" has no {", ".join(sorted(unknown))}. It knows {known}.')
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in block.items()})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Sources:
    """What the sources of a package use."""

    imports: set[str] = field(default_factory=set)
    """Top-level modules that the project itself imports."""

    text: str = ""
    """All sources except those of `SELF_CONTAINED`, which name every service that they support."""

    project: str = ""
    """The sources of the project alone."""

    @classmethod
    def read(cls, files: Mapping[str, bytes], of_project: Iterable[str]) -> "Sources":
        """Reads the .py files of a package, by path."""
        own = set(of_project)
        imports: set[str] = set()
        texts, project = [], []
        for name, data in files.items():
            if not name.endswith(".py") or name.startswith(SELF_CONTAINED) or _never_imported(name):
                continue
            text = data.decode("utf-8", "replace")
            texts.append(text)
            if name in own:
                project.append(text)
                imports |= _imported(text)
        return cls(imports, "\n".join(texts), "\n".join(project))


def _never_imported(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in NEVER_IMPORTED)


def _imported(text: str) -> set[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def normal(name: str) -> str:
    """The normalized name of a distribution, as PyPA defines it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _requirements(dist: Distribution, extras: frozenset[str]) -> Iterable[tuple[str, frozenset[str]]]:
    from packaging.requirements import Requirement

    for line in dist.requires or ():
        wanted = Requirement(line)
        contexts = [{"extra": extra} for extra in (extras or {""})]
        if wanted.marker is None or any(wanted.marker.evaluate(context) for context in contexts):
            yield normal(wanted.name), frozenset(wanted.extras)


def _closure(installed: Mapping[str, Distribution], roots: Iterable[str]) -> set[str]:
    waiting = [(root, frozenset[str]()) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        item = waiting.pop()
        if item in seen or item[0] not in installed or item[0] == "zappa":
            continue
        seen.add(item)
        waiting += _requirements(installed[item[0]], item[1])
    return {name for name, _extras in seen}


def _roots(installed: Mapping[str, Distribution]) -> set[str]:
    """The explicitly installed distributions, which pip and uv record. Otherwise: those that no other requires."""
    asked = {name for name, dist in installed.items() if dist.read_text("REQUESTED") is not None} - TOOLS
    if asked:
        return asked
    needed = {name for dist in installed.values() for name, _extras in _requirements(dist, frozenset())}
    return set(installed) - needed - TOOLS


def _paths(dist: Distribution) -> set[str]:
    return {path.as_posix() for path in dist.files or () if ".." not in path.parts}


def unneeded_paths(site_packages: Path, sources: Sources, options: PackageOptions) -> set[str]:
    """The paths of distributions that nothing on Lambda needs."""
    installed = {normal(d.name): d for d in distributions(path=[str(site_packages)])}
    modules: dict[str, str] = {}
    for name, dist in installed.items():
        for path in _paths(dist):
            modules.setdefault(path.partition("/")[0].partition(".")[0], name)
    imported = {modules[module] for module in sources.imports if module in modules} - TOOLS
    kept = _closure(installed, {*_roots(installed), *ZAPPA_RUNTIME, *map(normal, options.keep), *imported})
    if not options.boto3:
        kept -= LAMBDA_HAS - set(map(normal, options.keep))
    stays = set().union(
        *(_paths(installed[name]) for name in kept), _paths(installed["zappa"]) if "zappa" in installed else ()
    )
    goes = set().union(*(_paths(dist) for name, dist in installed.items() if name not in kept))
    return goes - stays


@dataclass(frozen=True)
class Trim:
    """Decides for each path whether to remove it."""

    unneeded: set[str]
    services: set[str]
    parts: tuple[str, ...]
    languages: set[str] | None
    patterns: tuple[str, ...]

    @classmethod
    def plan(cls, site_packages: Path, sources: Sources, options: PackageOptions) -> "Trim":
        """The decisions for one package."""
        services = set(AWS_SERVICES) | set(options.aws_services) | set(_SERVICE.findall(sources.text))
        for helper, needed in SERVICES_BY_HELPER.items():
            services.update(needed if re.search(helper, sources.text) else ())
        return cls(
            unneeded=unneeded_paths(site_packages, sources, options),
            services=services,
            parts=tuple(part for part, named in OPTIONAL_PARTS.items() if not re.search(named, sources.text)),
            languages=_languages(sources.project, options),
            patterns=options.drop,
        )

    def drops(self, path: str) -> bool:
        """Whether a path of the zip is removed."""
        return (
            path in self.unneeded
            or _never_imported(path)
            or any(fnmatch(path, pattern) for pattern in self.patterns)
            or self._is_other_service(path)
            or self._is_other_language(path)
            or path.startswith(self.parts)
        )

    def _is_other_service(self, path: str) -> bool:
        """Whether a path is data of a botocore service that nothing uses. Some files are for all services."""
        parts = path.split("/")
        return path.startswith(("botocore/data/", "boto3/data/")) and len(parts) > 3 and parts[2] not in self.services

    def _is_other_language(self, path: str) -> bool:
        if self.languages is None or not path.startswith("django/"):
            return False
        _before, found, after = path.partition("/locale/")
        return bool(found) and "/" in after and after.partition("/")[0] not in self.languages


def _languages(project: str, options: PackageOptions) -> set[str] | None:
    """The locale directories of Django to keep; None to keep all."""
    wanted = set(options.languages)
    if not wanted:
        codes = set(_LANGUAGE.findall(project))
        if len(codes) != 1 or _SWITCHES_LANGUAGE.search(project):
            return None
        wanted = codes
    locales = {"en"}
    for code in wanted:
        language, _, region = code.replace("_", "-").partition("-")
        locales |= {language, f"{language}_{region.upper()}" if len(region) == 2 else f"{language}_{region.title()}"}
    return locales
