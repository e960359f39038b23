"""Events that no source recognises, and a function without Zappa in its package."""

from typing import Any

import pytest

from tests import function_process
from tests.golden import golden

EVENTS: dict[str, Any] = {
    "nothing": {},
    "a bucket's notification": golden("services/s3"),
    "a topic's message": golden("services/sns"),
    "a message of another queue": {"Records": [{"eventSource": "aws:sqs", "body": "s3cr3t"}]},
    "records of something else": {"Records": [{"eventSource": "aws:s3cr3t"}, {"eventSource": "aws:sns"}]},
    "records that are not objects": {"Records": ["s3cr3t"]},
    "a function by name": {"command": "os.getcwd"},
    "a custom event": {"detail-type": "order", "source": "shop", "detail": {"secret": "s3cr3t"}},
    "a trigger of Cognito": {"triggerSource": "PreSignUp_SignUp"},
    "a token to authorize": {"type": "TOKEN", "methodArn": "arn:aws:execute-api:eu-west-1:1:abc/dev/GET/"},
    "a list": [1, 2],
    "a text": "hello",
    "null": None,
}

OF_ZAPPA = frozenset(
    {
        "a bucket's notification",
        "a topic's message",
        "a message of another queue",
        "records of something else",
        "records that are not objects",
        "a function by name",
        "a trigger of Cognito",
        "a token to authorize",
    }
)
"""What Zappa's handler knows."""


@pytest.fixture(scope="module", params=[False, True], ids=["without Zappa", "with Zappa"])
def zappa(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def errors(zappa: bool) -> dict[str, str]:
    known = OF_ZAPPA if zappa else frozenset()
    sent = {name: event for name, event in EVENTS.items() if name not in known}
    found = function_process.answers([*sent.values(), golden("services/scheduled")], zappa=zappa)
    assert "nothing was run" in found.pop()["answer"]["message"]
    return {name: one.get("error", str(one)) for name, one in zip(sent, found, strict=True)}


def test_each_is_one_clear_error(errors: dict[str, str]) -> None:
    for name, error in errors.items():
        assert error.startswith("UnknownEvent: No source recognises this event, which has "), (name, error)


def test_it_tells_the_keys_of_the_event_and_none_of_its_values(errors: dict[str, str]) -> None:
    assert "the keys detail, detail-type, source." in errors["a custom event"]
    assert "s3cr3t" not in str(errors)


@pytest.mark.parametrize("zappa", [False], ids=["without Zappa"], indirect=True)
def test_it_names_the_service_that_records_come_from_and_who_answers_them(errors: dict[str, str]) -> None:
    services = {
        "a bucket's notification": "aws:s3",
        "a topic's message": "aws:sns",
        "a message of another queue": "aws:sqs",
    }
    for name, service in services.items():
        assert f"has the keys Records and comes from {service}. " in errors[name]
        assert "Only a package that `zappa deploy` built answers these." in errors[name]
    assert "FANOUT_QUEUE_URL" in errors["a message of another queue"]
    for name in errors.keys() - services.keys():
        assert "aws:" not in errors[name], name


def test_a_function_without_settings_says_what_is_missing() -> None:
    with pytest.raises(AssertionError, match="ImproperlyConfigured: Set DJANGO_SETTINGS_MODULE in the environment"):
        function_process.answers([{}], settings="")
