"""A custom domain: the contents of events, and the address of @connections."""

import pytest
from botocore.exceptions import ClientError

from tests.conformance.core import ours
from tests.conformance.facts import fact
from tests.conformance.target import CUSTOM, CUSTOM_ROOT

pytestmark = ours


@pytest.fixture(params=[CUSTOM, CUSTOM_ROOT], ids=lambda shape: shape.name)
def custom(request, deploy):
    return deploy(request.param)


@fact("R", "custom domain: domainName and Host are that domain, and the stage is as it was")
def test_events(custom):
    with custom.open() as client:
        contexts = [client.connect_event["requestContext"], client.ask({"action": "chat"})["requestContext"]]
        assert client.connect_event["headers"]["Host"] == "ws.example.com"
    assert [one["domainName"] for one in contexts] == ["ws.example.com"] * 2
    assert [one["stage"] for one in contexts] == ["local"] * 2


@fact("D", "custom domain: @connections is below the mapped path")
def test_mapped_path(custom):
    with custom.open() as client:
        custom.management().post_to_connection(ConnectionId=client.connection_id, Data=b"hello")
        assert client.receive() == "hello"


@fact("D", "custom domain: the mapped path replaces the stage")
def test_stage_is_no_path(deploy):
    custom = deploy(CUSTOM)
    with custom.open() as client:
        client_of_stage = custom.management(endpoint_url=custom.endpoint.removesuffix("/live") + "/local")
        with pytest.raises(ClientError) as refused:
            client_of_stage.get_connection(ConnectionId=client.connection_id)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404)
