"""The system checks of the package, by id."""

import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from django.contrib.auth.decorators import login_required
from django.core.checks import run_checks
from django.urls import include, path

from ws_lambda import aws, checks
from ws_lambda.models import ChannelPermission
from ws_lambda.views import WebSocketView

ROOT = Path(__file__).parents[2]


def ids(*, deploy=False):
    found = [check.id for check in run_checks(include_deployment_checks=deploy)]
    return [one for one in found if one.startswith("ws_lambda.")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, []),
        ({"NO_SUCH_KEY": 1}, ["ws_lambda.E001"]),
        ([], ["ws_lambda.E002"]),
        ({"TOKEN_SECONDS": "x", "REQUIRE_TOKEN": 5}, ["ws_lambda.E002", "ws_lambda.E002"]),
        ({"ALLOWED_ORIGINS": ["www.example.com"]}, ["ws_lambda.E003"]),
        ({"ALLOWED_ORIGINS": ["https://*.example.com", "https://a.example/path"]}, ["ws_lambda.E003"] * 2),
        ({"HISTORY": {"a b": (1, 1)}, "CHANNEL_SHARDS": {"a#": 2}}, ["ws_lambda.E004"] * 2),
        ({"HISTORY": {"*": (1, 1)}}, []),
        ({"FORWARDED_HEADERS": ["X-Client-Version"]}, []),
        ({"FORWARDED_HEADERS": ["X-Forwarded-For", "Sec-WebSocket-Protocol", "a b"]}, ["ws_lambda.E005"] * 3),
        ({"EVENT_FUNCTIONS": ["os.getcwd", "os.no_such", "getcwd", "os.sep"]}, ["ws_lambda.E006"] * 3),
        ({"BASE_PATH": "/nothing-here/"}, ["ws_lambda.W001"]),
    ],
)
def test_settings(settings, value, expected):
    settings.WS_LAMBDA = value
    assert ids() == expected


SAFE = {"GATEWAY_IDS": ["abc"], "GATEWAY_SECRET": "s" * 32, "UNLISTED_CHANNELS": "authenticated"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"REQUIRE_TOKEN": False}, ["W101"]),
        ({"ALLOW_MISSING_ORIGIN": True}, ["W102"]),
        ({"ALLOWED_ORIGINS": ["http://www.example.com"]}, ["W104"]),
        ({"GATEWAY_SECRET": "short"}, ["W105"]),
        ({"GATEWAY_SECRET": ["s" * 32, "short"]}, ["W105"]),
        ({"GATEWAY_SECRET": ""}, []),
        ({"GATEWAY_IDS": []}, ["W106"]),
        ({"UNLISTED_CHANNELS": "anyone"}, ["W107"]),
        ({"MESSAGES_PER_MINUTE": 0}, ["W108"]),
        ({"CONNECTIONS_PER_USER": 0, "REFUSALS_PER_MINUTE": 0}, ["W108", "W108"]),
        ({"TOKEN_SECONDS": 3600}, ["W109"]),
        ({"REVALIDATE_USER_SECONDS": 86_400}, ["W111"]),
        ({"PERMISSION_CACHE_SECONDS": 3600}, ["W112"]),
        ({"ENDPOINT_URL": "http://x", "WEBSOCKET_URL": "ws://x"}, ["W110", "W110"]),
    ],
)
def test_deployment(settings, change, expected):
    settings.WS_LAMBDA = SAFE | change
    assert ids(deploy=True) == [f"ws_lambda.{one}" for one in expected]
    assert ids() == [], "only production is at risk"


class CookieView(WebSocketView):
    USE_WS_TOKEN = False


class TokenView(WebSocketView):
    pass


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (CookieView.as_view(), ["ws_lambda.W101"]),
        (TokenView.as_view(USE_WS_TOKEN=False), ["ws_lambda.W101"]),
        (CookieView.as_view(USE_WS_TOKEN=True), []),
        (TokenView.as_view(), []),
    ],
)
def test_a_view_that_needs_no_token(settings, view, expected):
    settings.WS_LAMBDA = SAFE
    settings.ROOT_URLCONF = (path("ws/<slug:route>", view),)
    assert ids(deploy=True) == expected


class RuledView(WebSocketView):
    def can_join_channel(self, request, channel_name):
        return False


class ListingView(WebSocketView):
    def get_channel_permission(self, channel_name):
        return None


class InheritingView(RuledView):
    pass


BY_DEFAULT = {name: value for name, value in SAFE.items() if name != "UNLISTED_CHANNELS"}


def use_urls(settings, *views):
    settings.WS_LAMBDA = BY_DEFAULT
    patterns = [path(f"{n}/<slug:route>", view) for n, view in enumerate(views)]
    settings.ROOT_URLCONF = (path("ws/<slug:route>", TokenView.as_view()), path("sub/", include(patterns)))


@pytest.mark.parametrize("value", ["authenticated", "nobody", None])
def test_any_user_may_join_any_channel_unless_somebody_has_thought_of_it(settings, ws_tables, value):
    use_urls(settings)
    settings.WS_LAMBDA = BY_DEFAULT | ({"UNLISTED_CHANNELS": value} if value else {})
    assert ids(deploy=True) == ([] if value else ["ws_lambda.W113"])


@pytest.mark.parametrize("view", [RuledView, ListingView, InheritingView])
def test_a_view_with_a_rule_of_its_own_is_enough_wherever_it_is_served(settings, view):
    use_urls(settings, view.as_view())
    assert ids(deploy=True) == []
    use_urls(settings, login_required(view.as_view()))
    assert ids(deploy=True) == []


def test_so_is_a_stored_permission(settings, ws_tables):
    use_urls(settings, TokenView.as_view())
    assert ids(deploy=True) == ["ws_lambda.W113"]
    ChannelPermission("general", access="allow_all").save()
    assert ids(deploy=True) == []


@pytest.mark.parametrize("trouble", ["no table", "no region", "no answer", "denied"])
def test_a_check_without_aws_fails_nowhere_and_warns(settings, no_tables, monkeypatch, trouble):
    use_urls(settings)
    if trouble == "no region":
        monkeypatch.setattr(aws, "region", failing(NoRegionError()))
    elif trouble == "no answer":
        monkeypatch.setattr(aws, "session", failing(NoCredentialsError()))
    elif trouble == "denied":
        denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "Scan")
        monkeypatch.setattr(aws, "session", failing(denied))
    (warned,) = [one for one in run_checks(include_deployment_checks=True) if one.id == "ws_lambda.W113"]
    assert ("could not be read" in warned.hint) == (trouble != "no table")


def failing(error):
    def fail():
        raise error

    return fail


def test_a_star_in_allowed_hosts(settings):
    settings.WS_LAMBDA = SAFE
    settings.ALLOWED_HOSTS = ["*"]
    assert ids(deploy=True) == ["ws_lambda.W103"]


def test_the_list_at_the_top_of_the_file_names_every_check():
    source = Path(checks.__file__).read_text()
    listed = set(re.findall(r"\b[EW]\d{3}\b", checks.__doc__))
    used = {f"{kind[1].upper()}{int(number):03}" for kind, number in re.findall(r"(_error|_warning)\(\s*(\d+)", source)}
    assert used | {"E001", "E002"} == listed
    documented = set(re.findall(r"\b[EW]\d{3}\b", (ROOT / "docs" / "security.md").read_text()))
    assert listed <= documented
