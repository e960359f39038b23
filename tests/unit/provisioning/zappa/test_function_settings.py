"""Placeholders, the function's environment, its policy."""

import json

import pytest

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa import function_settings
from ws_lambda.provisioning.zappa.function_settings import UnknownPlaceholder

KNOWN = {"Region": "eu-west-1", "AccountId": "123456789012", "Stage": "dev"}


def test_placeholders_are_filled_however_deep() -> None:
    given = {"events": [{"arn": "arn:aws:sqs:${Region}:${AccountId}:${Stage}-q", "batch_size": 5}]}
    assert function_settings.filled(given, KNOWN) == {
        "events": [{"arn": "arn:aws:sqs:eu-west-1:123456789012:dev-q", "batch_size": 5}]
    }


def test_an_unknown_placeholder_names_what_is_known() -> None:
    with pytest.raises(UnknownPlaceholder, match=r"Nonsense.*AccountId, Region, Stage"):
        function_settings.filled("${Nonsense}", KNOWN)


def test_a_variable_may_use_one_before_it() -> None:
    wanted = {"QUEUE": "demo-${Stage}", "URL": "https://sqs.${Region}.amazonaws.com/${QUEUE}"}
    assert function_settings.environment(wanted, None, KNOWN)["URL"] == "https://sqs.eu-west-1.amazonaws.com/demo-dev"


def test_a_random_secret_is_made_once_and_then_stays() -> None:
    wanted = {"KEY": "${random}"}
    first = function_settings.environment(wanted, None, KNOWN)
    assert len(first["KEY"]) >= 48
    assert function_settings.environment(wanted, None, KNOWN) != first
    assert function_settings.environment(wanted, first, KNOWN) == first


def test_secrets_come_from_the_shell_or_else_from_the_deployed_function(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"KEY": "${env:SOME_SECRET}"}
    monkeypatch.delenv("SOME_SECRET", raising=False)
    with pytest.raises(UnknownPlaceholder, match="set SOME_SECRET"):
        function_settings.environment(wanted, None, KNOWN)
    assert function_settings.environment(wanted, {"KEY": "old"}, KNOWN) == {"KEY": "old"}
    monkeypatch.setenv("SOME_SECRET", "new")
    assert function_settings.environment(wanted, {"KEY": "old"}, KNOWN) == {"KEY": "new"}


def test_a_policy_that_grants_everything_is_refused() -> None:
    everything = {"Statement": [{"Sid": "Wide", "Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}]}
    with pytest.raises(ProvisioningError, match=r"Wide.*s3:\*.*List single actions"):
        function_settings.policy(json.dumps(everything), KNOWN)


def test_zappas_grant_for_every_socket_of_the_account_goes_and_others_stay() -> None:
    zappas = {"Effect": "Allow", "Action": ["execute-api:ManageConnections"], "Resource": "arn:aws:execute-api:*"}
    mine = {"Effect": "Allow", "Action": ["ses:SendEmail"], "Resource": "*"}
    assert function_settings.without_zappas_grant([mine, zappas]) == [mine]
    assert function_settings.without_zappas_grant(None) == []
