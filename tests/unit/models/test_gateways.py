"""The gateway record, and the process's copy of it that the hot path reads."""

import pytest
from pynamodb.exceptions import PutError

from ws_lambda import clock
from ws_lambda.models import gateways
from ws_lambda.tables import shared_connection
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Status

pytestmark = pytest.mark.usefixtures("ws_tables")


def made(name: str, api_id: str) -> ApiGateway:
    record = ApiGateway(
        api_name=name, api_id=api_id, api_endpoint=f"wss://{api_id}.execute-api.eu-west-1.amazonaws.com"
    )
    record.save()
    return record


def test_what_is_saved_is_read_back() -> None:
    record = ApiGateway(api_name="chat", tags={"team": "web"}, throttling_rate=50)
    record.additional_routes = [AdditionalRoute(name="History", route_key="history", target="/ws/history/")]
    record.save()

    read = ApiGateway.get("chat")
    assert read.tags == {"team": "web"}
    assert read.throttling_rate == 50
    assert read.route_paths == {"history": "/ws/history/"}
    assert read.status == Status.PENDING
    assert read.route_selection_expression == "$request.body.action"


def test_saving_over_someone_elses_change_is_refused() -> None:
    made("chat", "abc")
    mine, theirs = ApiGateway.get("chat"), ApiGateway.get("chat")
    theirs.api_description = "theirs"
    theirs.save()
    mine.api_description = "mine"
    with pytest.raises(PutError):
        mine.save()
    assert ApiGateway.get("chat").api_description == "theirs"


def test_statuses_are_reached_in_order() -> None:
    record = ApiGateway(api_name="chat", status=Status.ROUTES_CREATED.value)
    assert [status.value for status in Status if record.reached(status)] == [
        "pending",
        "creating",
        "api_created",
        "routes_created",
    ]


def test_urls_of_a_generated_address() -> None:
    record = made("chat", "abc")
    assert record.endpoint_url == "https://abc.execute-api.eu-west-1.amazonaws.com/production"
    assert record.websocket_url == "wss://abc.execute-api.eu-west-1.amazonaws.com/production"


def test_urls_of_a_mapped_domain() -> None:
    record = made("chat", "abc")
    record.domain_name, record.status = "ws.example.com", Status.MAPPED.value
    assert record.endpoint_url == "https://abc.execute-api.eu-west-1.amazonaws.com/production"
    assert record.websocket_url == "wss://ws.example.com"


def test_urls_before_the_api_exists() -> None:
    record = ApiGateway(api_name="chat")
    assert (record.endpoint_url, record.websocket_url) == ("", "")


def test_only_the_paths_of_targets_are_route_paths() -> None:
    record = ApiGateway(
        api_name="chat",
        additional_routes=[
            AdditionalRoute(name="a", route_key="a", target="https://www.example.com/live/a/"),
            AdditionalRoute(name="b", route_key="b"),
        ],
    )
    assert record.route_paths == {"a": "/live/a/"}


def test_find_knows_registered_gateways_only() -> None:
    made("chat", "abc")
    found = gateways.find("abc")
    assert found is not None
    assert found.api_name == "chat"
    assert gateways.find("other") is None


def test_a_record_without_an_api_registers_nothing() -> None:
    ApiGateway(api_name="planned").save()
    assert not gateways.registered()
    made("chat", "abc")
    gateways.forget()
    assert gateways.registered()


def test_the_copy_is_read_again_after_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1_000_000.0
    monkeypatch.setattr(clock, "now", lambda: moment)
    assert gateways.find("abc") is None
    made("chat", "abc")
    moment += 29.9
    assert gateways.find("abc") is None
    moment += 0.2
    assert gateways.find("abc") is not None


def test_any_number_of_questions_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    made("chat", "abc")
    asked: list[str] = []
    send = shared_connection.SharedConnection.dispatch

    def dispatch(self: shared_connection.SharedConnection, operation: str, arguments: dict[str, object]) -> object:
        asked.append(operation)
        return send(self, operation, arguments)

    monkeypatch.setattr(shared_connection.SharedConnection, "dispatch", dispatch)
    for _ in range(5):
        gateways.find("abc")
        gateways.find("unknown")
        gateways.registered()
    assert asked == ["Scan"]


def test_the_record_of_an_api_is_found_by_its_index() -> None:
    made("chat", "abc")
    made("other", "def")
    assert [record.api_name for record in ApiGateway.by_api_id.query("abc")] == ["chat"]
