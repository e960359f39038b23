"""Lets one process at a time change a gateway in AWS, and stores each result at once.

The lease is two attributes of the record. If a process dies, its lease expires. Another process can then take over,
and finds in the record how far the first one came.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pynamodb.exceptions import PutError, UpdateError

from ws_lambda import clock
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.models import gateways
from ws_lambda.tables.gateways import ApiGateway, Status
from ws_lambda.tables.shared_connection import condition_failed

LEASE_SECONDS = 120
"""Longer than any single call to AWS with its retries. Every stored result renews the lease."""


class GatewayBusyError(ProvisioningError):
    """Another process is working on this gateway."""


class LeaseLostError(ProvisioningError):
    """The lease of this process expired, and another process has taken over."""


def load(name: str) -> ApiGateway:
    """The record of a gateway.

    Raises:
        ProvisioningError: there is no gateway of this name.
    """
    try:
        return ApiGateway.get(name, consistent_read=True)
    except ApiGateway.DoesNotExist:
        raise ProvisioningError(f"There is no gateway named {name!r}.") from None


def busy(record: ApiGateway) -> bool:
    """Whether a process holds the lease now."""
    return bool(record.lease_owner) and (record.lease_until or 0) > clock.now()


def save(record: ApiGateway) -> None:
    """Stores an edited record.

    Raises:
        ProvisioningError: the record has changed since it was read.
    """
    try:
        record.save()
    except PutError as error:
        if not condition_failed(error):
            raise
        raise ProvisioningError(
            f"Someone else has changed gateway {record.api_name!r} in the meantime. "
            "Load it again, and repeat your change."
        ) from error
    gateways.forget()


@contextmanager
def held(name: str) -> Iterator["Lease"]:
    """Holds the lease of a gateway.

    Raises:
        GatewayBusyError: another process holds it.
        ProvisioningError: there is no gateway of that name.
    """
    lease = _take(load(name))
    try:
        yield lease
    finally:
        lease.release()


def _take(record: ApiGateway) -> "Lease":
    if busy(record):
        raise _busy(record)
    owner = uuid.uuid4().hex
    record.lease_owner, record.lease_until = owner, clock.now() + LEASE_SECONDS
    if record.status == Status.PENDING:
        record.status = Status.CREATING.value
    try:
        record.save()
    except PutError as error:
        if not condition_failed(error):
            raise
        raise _busy(load(record.api_name)) from error
    return Lease(record, owner)


def _busy(record: ApiGateway) -> GatewayBusyError:
    seconds = round(max((record.lease_until or 0) - clock.now(), 1)) if busy(record) else 1
    return GatewayBusyError(
        f"Another process is working on gateway {record.api_name!r}. It may take up to {seconds} s longer. "
        "Check with `ws_gateway status`, then try again."
    )


class Lease:
    """The right to change a gateway in AWS, and its record."""

    def __init__(self, record: ApiGateway, owner: str) -> None:
        self.record = record
        self._owner = owner

    def store(self, values: Mapping[str, Any]) -> None:
        """Stores what AWS answered, and renews the lease.

        Raises:
            LeaseLostError: the lease had expired, and another process has taken it.
        """
        self._update({**values, "lease_until": clock.now() + LEASE_SECONDS})

    def release(self) -> None:
        """Ends the lease. A lease that is already lost needs no release."""
        try:
            self._update({"lease_owner": None, "lease_until": None})
        except LeaseLostError:
            return

    def _update(self, values: Mapping[str, Any]) -> None:
        actions = []
        for name, value in values.items():
            attribute = getattr(ApiGateway, name)
            actions.append(attribute.remove() if value is None else attribute.set(value))
        try:
            # This raises the version, so that a form that was opened earlier is refused when it is saved.
            self.record.update(actions, ApiGateway.lease_owner == self._owner, add_version_condition=False)
        except UpdateError as error:
            if not condition_failed(error):
                raise
            raise LeaseLostError() from error
        gateways.forget()
