"""The validation of gateway records."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings

from ws_lambda.provisioning import rules
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:chat"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222"


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


def wrong_fields(**fields: Any) -> set[str]:
    record = ApiGateway(**{"api_name": "chat", "lambda_function_arn": FUNCTION, **fields})
    try:
        rules.check(record)
    except ValidationError as error:
        return set(error.message_dict)
    return set()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"api_name": "My chat 2.0_x-y"},
        {"default_channel_name": "tenant_123:general"},
        {"lambda_function_arn": FUNCTION + ":live"},
        {"lambda_function_arn": "arn:aws-cn:lambda:cn-north-1:123456789012:function:chat:$LATEST"},
        {"domain_name": "ws.example.com", "certificate_arn": CERTIFICATE},
        {"domain_name": "ws.example.com", "certificate_arn": CERTIFICATE, "hosted_zone_id": "Z0123456789ABC"},
        {"route_selection_expression": "${request.body.kind}/${request.body.name}"},
        {"route_key": "message"},
        {"throttling_rate": 0.5, "throttling_burst": 1},
        {"access_log_arn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ws:*"},
        {"access_log_arn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/amazon-apigateway-x"},
        {"tags": {"team": "web", "empty": ""}},
    ],
)
def test_good_records(fields: dict[str, Any]) -> None:
    assert wrong_fields(**fields) == set()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("api_name", ""),
        ("api_name", "-chat"),
        ("api_name", "chat/1"),
        ("api_name", "chat\n"),
        ("api_name", "x" * 129),
        ("api_description", "x" * 1025),
        ("default_channel_name", "two words"),
        ("default_channel_name", "a;b"),
        ("default_channel_name", "x" * 129),
        ("lambda_function_arn", ""),
        ("lambda_function_arn", "chat"),
        ("lambda_function_arn", FUNCTION + "\n"),
        ("lambda_function_arn", "arn:aws:iam::123456789012:role/chat"),
        ("integration", "mock"),
        ("api_key_selection_expression", "$request.header.key"),
        ("route_selection_expression", "action"),
        ("route_selection_expression", "$request.header.action"),
        ("route_key", "$message"),
        ("route_key", ""),
        ("stage_name", "with space"),
        ("stage_name", ""),
        ("stage_description", "x" * 1025),
        ("access_log_arn", "my-group"),
        ("hosted_zone_id", "/hostedzone/Z1"),
        ("tags", ["team"]),
        ("tags", {"team": 5}),
        ("tags", {"aws:team": "x"}),
        ("tags", {"ws-lambda:gateway": "x"}),
        ("tags", {"": "x"}),
        ("tags", {"k": "x" * 257}),
        ("tags", {f"k{n}": "" for n in range(50)}),
    ],
)
def test_bad_values(field: str, value: object) -> None:
    assert field in wrong_fields(**{field: value})


@pytest.mark.parametrize(
    "domain", ["WS.example.com", "wss://ws.example.com", "ws", "-ws.example.com", "ws.example.com."]
)
def test_bad_domains(domain: str) -> None:
    assert wrong_fields(domain_name=domain, certificate_arn=CERTIFICATE) == {"domain_name"}


def test_a_domain_needs_a_certificate_of_the_right_region() -> None:
    assert wrong_fields(domain_name="ws.example.com") == {"certificate_arn"}
    assert wrong_fields(domain_name="ws.example.com", certificate_arn="cert") == {"certificate_arn"}
    elsewhere = CERTIFICATE.replace("eu-west-1", "us-east-1")
    assert wrong_fields(domain_name="ws.example.com", certificate_arn=elsewhere) == {"certificate_arn"}


def test_a_certificate_needs_a_domain() -> None:
    assert wrong_fields(certificate_arn=CERTIFICATE) == {"domain_name"}


def test_throttling_needs_both_numbers_and_more_than_nothing() -> None:
    assert wrong_fields(throttling_rate=5) == {"throttling_burst"}
    assert wrong_fields(throttling_burst=5) == {"throttling_burst"}
    assert wrong_fields(throttling_rate=0, throttling_burst=-1) == {"throttling_rate", "throttling_burst"}


HTTP = {"integration": "http", "lambda_function_arn": ""}


@override_settings(WS_LAMBDA={"GATEWAY_SECRET": "s3cret"}, ALLOWED_HOSTS=["www.example.com"])
@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://www.example.com/ws/", True),
        ("https://www.example.com:8443/ws/", True),
        ("https://www.example.com/ws", False),
        ("http://www.example.com/ws/", False),
        ("https://evil.example.com/ws/", False),
        ("https://www.example.com.evil.com/ws/", False),
        ("https://www.example.com@evil.com/ws/", False),
        ("https://me:pw@www.example.com/ws/", False),
        ("https://www.example.com/ws/?x=/", False),
        ("https://www.example.com:port/ws/", False),
        ("https://[www.example.com/ws/", False),
        ("http://127.0.0.1:8000/ws/", False),
        ("", False),
    ],
)
def test_where_an_http_integration_may_point(url: str, good: bool) -> None:
    assert wrong_fields(**HTTP, target_base_endpoint=url) == (set() if good else {"target_base_endpoint"})


@override_settings(
    WS_LAMBDA={"GATEWAY_SECRET": "s", "INTEGRATION_HOSTS": ["api.example.com"]}, ALLOWED_HOSTS=["www.example.com"]
)
def test_named_integration_hosts_replace_the_allowed_hosts() -> None:
    assert wrong_fields(**HTTP, target_base_endpoint="https://api.example.com/ws/") == set()
    assert wrong_fields(**HTTP, target_base_endpoint="https://www.example.com/ws/") == {"target_base_endpoint"}


@override_settings(WS_LAMBDA={"GATEWAY_SECRET": "s"}, ALLOWED_HOSTS=["localhost"], DEBUG=True)
def test_plain_http_is_for_this_machine_and_for_development() -> None:
    assert wrong_fields(**HTTP, target_base_endpoint="http://localhost:8000/ws/") == set()


@override_settings(ALLOWED_HOSTS=["www.example.com"])
@pytest.mark.parametrize("secret", ["", "it's", "caf\u00e9", "two\nlines"])
def test_an_http_integration_needs_a_secret_that_a_header_can_carry(secret: str) -> None:
    with override_settings(WS_LAMBDA={"GATEWAY_SECRET": secret}):
        assert wrong_fields(**HTTP, target_base_endpoint="https://www.example.com/ws/") == {"integration"}


@override_settings(ALLOWED_HOSTS=["www.example.com"])
@pytest.mark.parametrize(
    ("route", "good"),
    [
        ({"name": "Chat", "route_key": "chat"}, True),
        ({"name": "Chat", "route_key": "chat.message-2_x", "target": "/ws/chat/"}, True),
        ({"name": "Chat", "route_key": "chat", "target": "https://www.example.com/ws/chat/"}, True),
        ({"name": "", "route_key": "chat"}, False),
        ({"name": "Chat", "route_key": "$chat"}, False),
        ({"name": "Chat", "route_key": "$default"}, False),
        ({"name": "Chat", "route_key": "a b"}, False),
        ({"name": "Chat", "route_key": ""}, False),
        ({"name": "Chat", "route_key": "chat", "target": "ws/chat"}, False),
        ({"name": "Chat", "route_key": "chat", "target": "//evil.com/"}, False),
        ({"name": "Chat", "route_key": "chat", "target": "/ws/chat/?a=b"}, False),
        ({"name": "Chat", "route_key": "chat", "target": "/ws/cha t/"}, False),
        ({"name": "Chat", "route_key": "chat", "target": "https://evil.com/"}, False),
    ],
)
def test_additional_routes(route: dict[str, str], good: bool) -> None:
    assert wrong_fields(additional_routes=[AdditionalRoute(**route)]) == (set() if good else {"additional_routes"})


def test_route_keys_are_unique_and_few_enough() -> None:
    twice = [AdditionalRoute(name="a", route_key="a"), AdditionalRoute(name="b", route_key="a")]
    assert wrong_fields(additional_routes=twice) == {"additional_routes"}
    assert wrong_fields(route_key="a", additional_routes=twice[:1]) == {"additional_routes"}
    many = [AdditionalRoute(name="r", route_key=f"r{n}") for n in range(298)]
    assert wrong_fields(additional_routes=many) == {"additional_routes"}
    assert wrong_fields(additional_routes=many[:297]) == set()
