"""A process's copy of the registered gateways."""

from ws_lambda import clock, process_state
from ws_lambda.conf import conf
from ws_lambda.process_state import Occasion
from ws_lambda.tables.gateways import ApiGateway

_lock = process_state.Lock()
_read: tuple[str, float, dict[str, ApiGateway]] = ("", 0.0, {})


def _known() -> dict[str, ApiGateway]:
    """Every registered gateway by its API id.

    An account has only a few, so one scan of the table answers all questions, including whether one is registered.
    """
    global _read
    with _lock:
        table, read_at, known = _read
        age = clock.now() - read_at
        if table != ApiGateway.Meta.table_name or not 0 <= age < conf.PERMISSION_CACHE_SECONDS:
            known = {record.api_id: record for record in ApiGateway.scan(consistent_read=True) if record.api_id}
            _read = (ApiGateway.Meta.table_name, clock.now(), known)
        return known


def find(api_id: str) -> ApiGateway | None:
    """The gateway with this API id. The answer is at most PERMISSION_CACHE_SECONDS old."""
    return _known().get(api_id)


def registered() -> bool:
    """Whether any gateway is registered. Records whose API was never created do not count."""
    return bool(_known())


def forget() -> None:
    """Drops the copy, so that the next `find` reads the table. Called after this process has changed a record."""
    global _read
    with _lock:
        _read = ("", 0.0, {})


process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def only_websocket_url() -> str:
    """The URL of the only registered gateway; "" if there is none or more than one."""
    known = list(_known().values())
    return known[0].websocket_url if len(known) == 1 else ""
