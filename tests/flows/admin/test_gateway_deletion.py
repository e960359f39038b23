"""A gateway is deleted in the admin, and with it its API."""

import pytest
from django.test import Client

from tests.flows.admin.conftest import said
from tests.flows.admin.gateway_forms import PAGE, act
from tests.flows.provisioning.seen import apis
from ws_lambda.models import ApiGateway
from ws_lambda.provisioning import lease

pytestmark = pytest.mark.usefixtures("lambda_function")


def test_deleting_says_what_goes_in_aws_and_does_it(root: Client, chat: ApiGateway) -> None:
    act(root, "create_api_gateway")
    asked = root.get(PAGE + "chat/delete/").content.decode()
    assert f"API {apis()[0]['ApiId']} in AWS" in asked
    answer = root.post(PAGE + "chat/delete/", {"post": "yes"}, follow=True)
    assert "was deleted successfully" in said(answer)[0]
    assert apis() == []
    assert ApiGateway.count() == 0


def test_an_adopted_api_outlives_its_record(root: Client, chat: ApiGateway) -> None:
    act(root, "create_api_gateway")
    record = ApiGateway.get("chat")
    record.adopted = True
    record.save()
    assert "stays" in root.get(PAGE + "chat/delete/").content.decode()
    root.post(PAGE + "chat/delete/", {"post": "yes"})
    assert len(apis()) == 1
    assert ApiGateway.count() == 0


def test_a_deletion_that_cannot_be_is_told_and_not_logged(root: Client, chat: ApiGateway) -> None:
    lease._take(lease.load("chat"))
    answer = root.post(PAGE + "chat/delete/", {"post": "yes"}, follow=True)
    assert "Another process is working" in said(answer)[0]
    assert "Deleted" not in root.get(PAGE + "chat/history/").content.decode()
