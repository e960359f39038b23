"""Gateways in the admin: entered, validated, created in AWS, changed and synchronised."""

import pytest
from django.test import Client

from tests.flows.admin.conftest import logged_in, person, said
from tests.flows.admin.gateway_forms import FUNCTION, PAGE, act, typed
from tests.flows.provisioning.seen import apis, routes
from ws_lambda import aws
from ws_lambda.models import ApiGateway
from ws_lambda.provisioning import lease
from ws_lambda.tables.gateways import AdditionalRoute

pytestmark = pytest.mark.usefixtures("lambda_function")


def version() -> str:
    return str(ApiGateway.get("chat").version)


def test_a_gateway_is_added_with_its_routes(root: Client) -> None:
    route = {"name": "History", "route_key": "history", "target": "/ws/history/"}
    answer = root.post(
        PAGE + "add/", typed(route, tags='{"team": "web"}', throttling_rate="5", throttling_burst="9"), follow=True
    )
    assert "was added successfully" in said(answer)[0]
    record = ApiGateway.get("chat")
    assert record.route_paths == {"history": "/ws/history/"}
    assert (record.tags, record.throttling_rate, record.status) == ({"team": "web"}, 5, "pending")
    assert apis() == []


@pytest.mark.parametrize(
    ("routes_typed", "more", "why"),
    [
        ((), {"lambda_function_arn": "chat"}, "Enter the ARN of the Lambda function"),
        ((), {"api_name": "a/b"}, "Start with a letter or digit"),
        ((), {"tags": '{"aws:x": "y"}'}, "are reserved"),
        ((), {"tags": "{"}, "Enter a valid JSON"),
        ((), {"integration": "http", "target_base_endpoint": "https://evil.com/"}, "is in neither"),
        (({"name": "A", "route_key": "$connect"},), {}, "Use only letters, digits"),
        (({"name": "A", "route_key": "a"}, {"name": "B", "route_key": "a"}), {}, "already taken"),
        (({"name": "", "route_key": "a"},), {}, "This field is required"),
    ],
)
def test_what_aws_would_refuse_is_refused_here(
    root: Client, routes_typed: tuple[dict[str, str], ...], more: dict[str, str], why: str
) -> None:
    answer = root.post(PAGE + "add/", typed(*routes_typed, **more))
    assert answer.status_code == 200
    assert why in answer.content.decode()
    assert ApiGateway.count() == 0


def test_a_name_is_taken_once(root: Client, chat: ApiGateway) -> None:
    answer = root.post(PAGE + "add/", typed())
    assert "There is already a gateway of this name." in answer.content.decode()
    assert len(ApiGateway.get("chat").additional_routes) == 1


def test_routes_are_changed_removed_and_added_in_one_form(root: Client, chat: ApiGateway) -> None:
    shown = root.get(PAGE + "chat/change/").content.decode()
    assert 'name="routes-0-route_key" value="history"' in shown
    root.post(
        PAGE + "chat/change/",
        typed(
            {"key": "history", "name": "Past", "route_key": "past", "target": ""},
            {"name": "Typing", "route_key": "typing"},
            seen_version=version(),
        ),
    )
    assert [(one.name, one.route_key) for one in ApiGateway.get("chat").additional_routes] == [
        ("Past", "past"),
        ("Typing", "typing"),
    ]
    root.post(
        PAGE + "chat/change/",
        typed(
            {"key": "past", "name": "Past", "route_key": "past", "DELETE": "on"},
            {"key": "typing", "name": "Typing", "route_key": "typing"},
            seen_version=version(),
        ),
    )
    assert [one.route_key for one in ApiGateway.get("chat").additional_routes] == ["typing"]
    history = root.get(PAGE + "chat/history/").content.decode()
    assert "Added additional route “typing”." in history
    assert "Changed Name and Route key for additional route “past”." in history
    assert "Deleted additional route “past”." in history


def test_a_form_that_is_out_of_date_changes_nothing(root: Client, chat: ApiGateway) -> None:
    seen = version()
    root.post(PAGE + "chat/change/", typed(api_description="First", seen_version=seen))
    answer = root.post(PAGE + "chat/change/", typed(api_description="Second", seen_version=seen))
    assert "Someone else has changed this gateway" in answer.content.decode()
    assert ApiGateway.get("chat").api_description == "First"


def test_a_gateway_at_work_is_not_changed(root: Client, chat: ApiGateway) -> None:
    lease._take(lease.load("chat"))
    answer = root.post(PAGE + "chat/change/", typed(api_description="New", seen_version=version()))
    assert "Another process is working" in answer.content.decode()
    assert "(in progress)" in root.get(PAGE).content.decode()


def test_creating_tells_each_step(root: Client, chat: ApiGateway) -> None:
    answer = act(root, "create_api_gateway")
    [message] = said(answer)
    assert message.startswith(
        "Gateway chat was created. WebSocket API: done; Routes and integrations: done; Deployment and stage: done."
    )
    record = ApiGateway.get("chat")
    assert record.api_id
    assert record.websocket_url in message
    assert set(routes(record.api_id)) == {"$connect", "$disconnect", "$default", "history"}
    for _ in range(2):
        history = root.get(PAGE + "chat/history/").content.decode()
        assert history.count("Create API Gateway. WebSocket API: done; Routes and integrations: done;") == 1
        assert "already there" not in history
        assert said(act(root, "create_api_gateway"))[0].count("already there") == 3


def test_a_failure_is_reported_with_what_was_done(root: Client, chat: ApiGateway) -> None:
    aws.client("lambda").delete_function(FunctionName="chat")
    [message] = said(act(root, "create_api_gateway"))
    assert "Routes and integrations: " in message
    assert "(WebSocket API: done)" in message
    assert "Function not found" in root.get(PAGE).content.decode()
    history = root.get(PAGE + "chat/history/").content.decode()
    assert "Create API Gateway. WebSocket API: done. The next step failed." in history


def test_identifiers_of_aws_are_shown_read_only(root: Client, chat: ApiGateway) -> None:
    assert "In AWS" not in root.get(PAGE + "add/").content.decode()
    act(root, "create_api_gateway")
    shown = root.get(PAGE + "chat/change/").content.decode()
    assert "In AWS" in shown
    assert "Deployment id" in shown
    for name in ("api_name", "integration", "stage_name", "route_key"):
        assert f'name="{name}"' not in shown
    assert 'name="domain_name"' in shown
    root.post(PAGE + "chat/change/", typed(stage_name="other", api_description="New", seen_version=version()))
    record = ApiGateway.get("chat")
    assert (record.stage_name, record.api_description) == ("production", "New")


def test_adding_a_route_to_a_created_gateway_reaches_aws(root: Client, chat: ApiGateway) -> None:
    act(root, "create_api_gateway")
    answer = root.post(
        PAGE + "chat/change/",
        typed(
            {"key": "history", "name": "History", "route_key": "history"},
            {"name": "Typing", "route_key": "typing"},
            api_description="Rooms",
            seen_version=version(),
        ),
        follow=True,
    )
    assert "AWS: api.description is now Rooms." in said(answer)
    assert f"AWS: route.typing is now {FUNCTION}." in said(answer)
    [api] = apis()
    assert "typing" in routes(api["ApiId"])
    assert api["Description"] == "Rooms"


def test_a_change_that_aws_refuses_is_kept_and_told(root: Client, chat: ApiGateway) -> None:
    act(root, "create_api_gateway")
    aws.client("apigatewayv2").delete_api(ApiId=apis()[0]["ApiId"])
    answer = root.post(PAGE + "chat/change/", typed(api_description="New", seen_version=version()), follow=True)
    assert "The record was saved, but AWS was not changed." in said(answer)[0]
    assert ApiGateway.get("chat").api_description == "New"


def test_a_domain_needs_its_fields_first(root: Client, chat: ApiGateway) -> None:
    act(root, "create_api_gateway")
    assert said(act(root, "create_custom_domain")) == [
        "Gateway 'chat' has no domain name. Enter a domain name and a certificate first."
    ]
    certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/1-2"
    named = typed(domain_name="ws.example.com", certificate_arn=certificate, seen_version=version())
    root.post(PAGE + "chat/change/", named, follow=True)
    [message] = said(act(root, "create_custom_domain"))
    assert message.startswith("Gateway chat has its custom domain.")
    assert "wss://ws.example.com" in message


def test_sync_shows_the_difference_before_it_acts(root: Client, chat: ApiGateway) -> None:
    act(root, "create_api_gateway")
    api_id = apis()[0]["ApiId"]
    aws.client("apigatewayv2").update_api(ApiId=api_id, Description="From the console")
    shown = act(root, "sync_from_aws").content.decode()
    assert "From the console" in shown
    assert "Nothing has been changed yet." in shown
    assert ApiGateway.get("chat").api_description == ""

    assert said(act(root, "sync_from_aws", confirmed="yes")) == [
        "Gateway chat: The record was changed: api.description."
    ]
    assert ApiGateway.get("chat").api_description == "From the console"
    assert "The record and AWS are equal." in act(root, "sync_to_aws").content.decode()

    aws.client("apigatewayv2").update_api(ApiId=api_id, Description="Again")
    assert said(act(root, "sync_to_aws", confirmed="yes")) == ["Gateway chat: AWS was changed: api.description."]
    assert apis()[0]["Description"] == "From the console"


def test_syncing_a_gateway_that_is_not_created_says_so(root: Client, chat: ApiGateway) -> None:
    assert "not deployed yet" in act(root, "sync_to_aws").content.decode()


def test_a_user_who_may_view_may_not_act(root: Client, chat: ApiGateway) -> None:
    person("clerk", permission_names=["ws_lambda.view_apigateway"])
    clerk = logged_in("clerk")
    shown = clerk.get(PAGE + "chat/change/").content.decode()
    assert "history" in shown
    assert 'name="routes-0-route_key"' not in shown
    assert "create_api_gateway" not in clerk.get(PAGE).content.decode()
    act(clerk, "create_api_gateway")
    assert apis() == []


def test_a_gateway_of_many_routes_is_one_item(root: Client) -> None:
    many = [AdditionalRoute(name=f"r{n}", route_key=f"r{n}") for n in range(30)]
    ApiGateway(api_name="big", lambda_function_arn=FUNCTION, additional_routes=many).save()
    assert root.get(PAGE + "big/change/").content.decode().count('-route_key" value="r') == 30
