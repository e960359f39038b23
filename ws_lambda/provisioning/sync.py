"""Bringing a gateway's record and AWS to agree, either way, after showing where they differ."""

from typing import Any

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import lease, pull, push, rules, stage, state
from ws_lambda.provisioning.create import recorded
from ws_lambda.provisioning.state import Difference
from ws_lambda.tables.gateways import ApiGateway, Status


def differences(record: ApiGateway) -> list[Difference]:
    """Where the record and AWS differ, by name. Changes nothing: this is the dry run of both directions.

    Raises:
        ProvisioningError: the gateway is not deployed yet, or AWS does not have it any more.
    """
    name = record.api_name
    if not record.reached(Status.DEPLOYED):
        raise ProvisioningError(f"Gateway {name!r} is not deployed yet: create it in AWS first.")
    asked, there = state.wanted(record), state.in_aws(record)
    return [
        Difference(name=fact, record=asked.get(fact, ""), aws=there.get(fact, ""))
        for fact in sorted(asked.keys() | there.keys())
        if asked.get(fact, "") != there.get(fact, "")
    ]


def to_aws(name: str) -> list[Difference]:
    """Makes AWS what the record asks for, and deploys it. Returns what differed.

    Raises:
        GatewayBusyError: another process is working on the gateway.
        ValidationError: the record says something that AWS would not take.
        ProvisioningError: AWS refused; `last_error` of the record says why.
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
    """Makes the record say what AWS has. Returns what it took over, and what a record cannot say.

    Raises:
        GatewayBusyError: another process is working on the gateway.
        ValidationError: AWS has something that the rules for records forbid.
        ProvisioningError: AWS has not got the API any more.
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
