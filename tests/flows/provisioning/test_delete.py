"""The end of a gateway."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.flows.provisioning.seen import alias, apis
from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.models.gateways import ApiGateway
from ws_lambda.provisioning import create, update

Before = Callable[[str, Callable[..., None]], None]


def test_deleting_leaves_nothing_behind(named: ApiGateway, zone: str) -> None:
    create.create("chat")
    create.create_domain("chat")
    update.delete("chat")
    assert apis() == []
    assert aws.client("apigatewayv2").get_domain_names()["Items"] == []
    assert alias(zone) == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("lambda").get_policy(FunctionName="chat")
    assert ApiGateway.count() == 0


def test_deleting_resumes_where_it_failed(named: ApiGateway, fail_at: Any) -> None:
    create.create("chat")
    create.create_domain("chat")
    fail_at.add("DeleteApi")
    with pytest.raises(ProvisioningError, match="Slow down"):
        update.delete("chat")
    assert len(apis()) == 1
    fail_at.clear()
    update.delete("chat")
    assert apis() == []
    assert ApiGateway.count() == 0
