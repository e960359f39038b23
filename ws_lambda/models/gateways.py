"""The registered gateways, as a process last read them."""

from ws_lambda import clock, process_state
from ws_lambda.conf import conf
from ws_lambda.process_state import Occasion
from ws_lambda.tables.gateways import ApiGateway

_lock = process_state.Lock()
_read: tuple[str, float, dict[str, ApiGateway]] = ("", 0.0, {})


def _known() -> dict[str, ApiGateway]:
    """Every registered gateway by its API id.

    An account has a handful, so one scan of the table answers every question, "not registered" included.
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
    """The gateway with this API id, as this process last read it: at most PERMISSION_CACHE_SECONDS old."""
    return _known().get(api_id)


def registered() -> bool:
    """Whether any gateway with an API is registered. Records that were never created do not count."""
    return bool(_known())


def forget() -> None:
    """Makes the next `find` read the table: called after this process changed a record."""
    global _read
    with _lock:
        _read = ("", 0.0, {})


process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def only_websocket_url() -> str:
    """The address of the one gateway that is registered; "" where there is none, or a choice."""
    known = list(_known().values())
    return known[0].websocket_url if len(known) == 1 else ""
