"""Reduces botocore's data, which Python parses as JSON on every cold start, to what a function reads."""

import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

ENDPOINTS = "botocore/data/endpoints.json"


def reduced(files: Mapping[str, bytes], services: Iterable[str]) -> dict[str, bytes]:
    """The files that can be reduced, with their new contents, by path.

    Args:
        files: the files of the package, by path.
        services: the botocore services that the package keeps.
    """
    found: dict[str, bytes] = {}
    prefixes = set()
    for path, data in files.items():
        if path.startswith("botocore/data/") and path.endswith(("/service-2.json", "/service-2.json.gz")):
            model = _read(path, data)
            prefixes.add(model["metadata"].get("endpointPrefix", ""))
            found[path] = _written(path, _without_documentation(model))
    if ENDPOINTS in files:
        found[ENDPOINTS] = _written(ENDPOINTS, _endpoints(_read(ENDPOINTS, files[ENDPOINTS]), prefixes | set(services)))
    return found


def _endpoints(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    for partition in document["partitions"]:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in names}
    return document


def _without_documentation(value: Any) -> Any:
    """Removes only texts: a member of a shape can also be named "documentation"."""
    if isinstance(value, dict):
        return {
            key: _without_documentation(one)
            for key, one in value.items()
            if not (key == "documentation" and isinstance(one, str))
        }
    if isinstance(value, list):
        return [_without_documentation(one) for one in value]
    return value


def _read(path: str, data: bytes) -> dict[str, Any]:
    return dict(json.loads(gzip.decompress(data) if path.endswith(".gz") else data))


def _written(path: str, document: dict[str, Any]) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    return gzip.compress(text, mtime=0) if path.endswith(".gz") else text
