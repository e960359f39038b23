"""Reading the settings: defaults, overrides, and the message for each bad value."""

import ast
import inspect
from dataclasses import fields
from itertools import pairwise

import pytest
from django.core.exceptions import ImproperlyConfigured

from ws_lambda.conf import DEFAULTS, Settings, conf, problems


def test_defaults_where_nothing_is_set(settings):
    del settings.WS_LAMBDA
    assert conf.TOKEN_SECONDS == DEFAULTS.TOKEN_SECONDS == 60


def test_override_settings_is_seen_at_once(settings):
    settings.WS_LAMBDA = {"TOKEN_SECONDS": 5, "GATEWAY_IDS": ["a", "b"]}
    assert (conf.TOKEN_SECONDS, conf.GATEWAY_IDS) == (5, ("a", "b"))
    settings.WS_LAMBDA = {}
    assert conf.TOKEN_SECONDS == 60


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"GATEWAY_SECRET": "x"},
        {"GATEWAY_SECRET": ["x", "y"]},
        {"HISTORY": {"general": (50, 3600), "team-*": [10, 60]}},
        {"CHANNEL_SHARDS": {"big": 4}},
        {"ROUTE_PATHS": {"chat": "/ws/chat/"}},
        {"ALLOW_MISSING_ORIGIN": True},
    ],
)
def test_good_values(good):
    assert problems(good) == []


def test_a_problem_says_what_is_wanted_and_no_secret():
    told = [sentence for _key, sentence in problems({"HISTORY": {"*": 50}, "GATEWAY_SECRET": [b"hush"]})]
    assert told[0].startswith("WS_LAMBDA['HISTORY'] must be a dict, from a string to ")
    assert "hush" not in told[1]


@pytest.mark.parametrize(
    ("bad", "key"),
    [
        ([], ""),
        ({"TOKEN_SECOND": 5}, "TOKEN_SECOND"),
        ({"TOKEN_SECONDS": "5"}, "TOKEN_SECONDS"),
        ({"TOKEN_SECONDS": True}, "TOKEN_SECONDS"),
        ({"TOKEN_SECONDS": -1}, "TOKEN_SECONDS"),
        ({"ALLOWED_ORIGINS": "https://a.example"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": [5]}, "ALLOWED_ORIGINS"),
        ({"HISTORY": {"a": 5}}, "HISTORY"),
        ({"HISTORY": {"a": (1, 2, 3)}}, "HISTORY"),
        ({"HISTORY": []}, "HISTORY"),
        ({"CHANNEL_SHARDS": {1: 1}}, "CHANNEL_SHARDS"),
        ({"REQUIRE_TOKEN": 1}, "REQUIRE_TOKEN"),
        ({"GATEWAY_SECRET": None}, "GATEWAY_SECRET"),
        ({"UNLISTED_CHANNELS": "everyone"}, "UNLISTED_CHANNELS"),
        ({"BASE_PATH": "ws"}, "BASE_PATH"),
        ({"ROUTE_PATHS": {"chat": 5}}, "ROUTE_PATHS"),
        ({"TABLE_PREFIX": "my tables_"}, "TABLE_PREFIX"),
        ({"ROUTE_PATHS": {"chat": "ws/chat"}}, "ROUTE_PATHS"),
        ({"TOKEN_SECONDS": 0}, "TOKEN_SECONDS"),
        ({"CONNECTIONS_PER_USER": 10_001}, "CONNECTIONS_PER_USER"),
        ({"CHANNELS_PER_CONNECTION": 0}, "CHANNELS_PER_CONNECTION"),
        ({"CHANNELS_PER_CONNECTION": 1_001}, "CHANNELS_PER_CONNECTION"),
        ({"CHANNEL_SHARDS": {"big": 0}}, "CHANNEL_SHARDS"),
        ({"FANOUT_CONNECTIONS": 0}, "FANOUT_CONNECTIONS"),
        ({"FANOUT_WORKERS": 0}, "FANOUT_WORKERS"),
        ({"FANOUT_QUEUE_URL": "fanout"}, "FANOUT_QUEUE_URL"),
        ({"ENDPOINT_URL": "ws.example.com"}, "ENDPOINT_URL"),
        ({"WEBSOCKET_URL": "https://ws.example.com"}, "WEBSOCKET_URL"),
    ],
)
def test_bad_values_are_named_and_their_use_raises(settings, bad, key):
    assert [named for named, _sentence in problems(bad)] == [key]
    settings.WS_LAMBDA = bad
    with pytest.raises(ImproperlyConfigured):
        _ = conf.TABLE_PREFIX


@pytest.mark.parametrize(
    ("bad", "wanted"),
    [
        ({"TOKEN_SECONDS": "5"}, "a number (0 or more)"),
        ({"REQUIRE_TOKEN": 1}, "True or False"),
        ({"ALLOWED_ORIGINS": [5]}, "a list or tuple, each item a string"),
        ({"GATEWAY_SECRET": None}, "a string or a list or tuple, each item a string"),
        ({"CHANNEL_SHARDS": {"a": "2"}}, "a dict, from a string to a number (0 or more)"),
        ({"HISTORY": {"a": 5}}, "a dict, from a string to (a number (0 or more), a number (0 or more))"),
    ],
)
def test_the_sentence_says_what_the_value_must_be(bad, wanted):
    (key,) = bad
    assert problems(bad) == [(key, f"WS_LAMBDA[{key!r}] must be {wanted}.")]


def test_every_setting_has_a_docstring():
    [body] = [node.body for node in ast.parse(inspect.getsource(Settings)).body if isinstance(node, ast.ClassDef)]
    described = {
        before.target.id
        for before, after in pairwise(body)
        if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }
    without = {field.name for field in fields(Settings)} - described
    assert not without, f"Write a docstring under {sorted(without)} in ws_lambda/conf.py."
