"""`zappa_settings`, the module that Zappa makes when it packs the function, where there is one."""

from functools import cache
from types import ModuleType


@cache
def module() -> ModuleType | None:
    """The module, or None where Zappa has not packed the function."""
    try:
        import zappa_settings
    except ModuleNotFoundError as missing:
        if missing.name != "zappa_settings":
            raise
        return None
    return zappa_settings  # type: ignore[no-any-return]


def event_functions() -> frozenset[str]:
    """The dotted paths of the functions that `events` in `zappa_settings.json` names.

    Zappa itself packs only those of event sources, and the deploy hook those of schedules beside them.
    """
    packed = module()
    by_source = getattr(packed, "AWS_EVENT_MAPPING", {}).values()
    mapped = (name for names in by_source for name in ([names] if isinstance(names, str) else names))
    return frozenset(getattr(packed, "EVENT_FUNCTIONS", ())).union(mapped)


def base_path() -> str:
    """The first part of the URL path where a custom domain's mapping has one, from `/` on; else ""."""
    path = getattr(module(), "BASE_PATH", None) or ""
    return f"/{path.strip('/')}" if path else ""
