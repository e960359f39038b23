"""Reads `zappa_settings`, the module that Zappa generates when it packages the function."""

from functools import cache
from types import ModuleType


@cache
def module() -> ModuleType | None:
    """Returns the module, or None if Zappa has not packaged the function."""
    try:
        import zappa_settings
    except ModuleNotFoundError as missing:
        if missing.name != "zappa_settings":
            raise
        return None
    return zappa_settings  # type: ignore[no-any-return]


def event_functions() -> frozenset[str]:
    """Returns the dotted paths of the functions in `events` of `zappa_settings.json`.

    Zappa itself packs only the functions of event sources. The deploy hook packs all of them.
    """
    packed = module()
    by_source = getattr(packed, "AWS_EVENT_MAPPING", {}).values()
    mapped = (name for names in by_source for name in ([names] if isinstance(names, str) else names))
    return frozenset(getattr(packed, "EVENT_FUNCTIONS", ())).union(mapped)


def base_path() -> str:
    """Returns the base path mapping of the custom domain with a leading slash, or "" if there is none."""
    path = getattr(module(), "BASE_PATH", None) or ""
    return f"/{path.strip('/')}" if path else ""
