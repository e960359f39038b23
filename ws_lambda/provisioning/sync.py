"""Compares a gateway's record with AWS, and makes them equal in either direction."""

from typing import Any

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import lease, pull, push, rules, stage, state
from ws_lambda.provisioning.create import recorded
from ws_lambda.provisioning.state import Difference
from ws_lambda.tables.gateways import ApiGateway, Status


def differences(record: ApiGateway) -> list[Difference]:
    """The differences between the record and AWS, sorted by name. Changes nothing.

    Raises:
        ProvisioningError: the gateway is not deployed yet, or no longer exists in AWS.
    """
    name = record.api_name
    if not record.reached(Status.DEPLOYED):
        raise ProvisioningError(f"Gateway {name!r} is not deployed yet. Create it in AWS first.")
    asked, there = state.wanted(record), state.in_aws(record)
    return [
        Difference(name=fact, record=asked.get(fact, ""), aws=there.get(fact, ""))
        for fact in sorted(asked.keys() | there.keys())
        if asked.get(fact, "") != there.get(fact, "")
    ]


def to_aws(name: str) -> list[Difference]:
    """Changes AWS to match the record, and deploys the change. Returns the differences that it removed.

    Raises:
        GatewayBusyError: another process is working on the gateway.
        ValidationError: the record has a value that AWS would refuse.
        ProvisioningError: AWS refused. `last_error` of the record gives the reason.
    """
    rules.check(lease.load(name))
    with lease.held(name) as mine:
        with recorded(mine, "Sync to AWS"):
            found = differences(mine.record)
            values: dict[str, Any] = {}
            for areas, act in push.PUSHES.items():
                if changed := [one for one in found if one.area in areas]:
                    values |= act(mine.record, changed)
            if any(one.area in push.DEPLOYED for one in found):
                values |= stage.deploy(mine.record)
        mine.store({**values, "last_error": ""})
        return found


def from_aws(name: str) -> tuple[list[Difference], list[Difference]]:
    """Changes the record to match AWS.

    Returns:
        The differences that it removed, and those that remain because a record cannot hold them.

    Raises:
        GatewayBusyError: another process is working on the gateway.
        ValidationError: AWS has a value that a record may not have.
        ProvisioningError: the API no longer exists in AWS.
    """
    with lease.held(name) as mine:
        with recorded(mine, "Sync from AWS"):
            found = differences(mine.record)
            for one in found:
                pull.pull(mine.record, one)
        rules.check(mine.record)
        mine.store({**pull.values(mine.record), "last_error": ""})
        says = state.wanted(mine.record)
        left = [one for one in found if says.get(one.name, "") != one.aws]
        return [one for one in found if one not in left], left
