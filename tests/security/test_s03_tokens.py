"""S3: a token opens one connection, once. 100 racing uses, one success."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import backends
from tests.security.test_s05_minting import log_in
from tests.urls import ChatView
from ws_lambda.models import WebSocketSession, WebSocketToken
from ws_lambda.tables.tokens import digest
from ws_lambda.testing import connect_event, invoke, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables")


def test_a_hundred_racing_uses_one_success(user, settings):
    settings.WS_LAMBDA = {"CONNECTS_PER_MINUTE": 1000, "REFUSALS_PER_MINUTE": 1000}
    token = mint_token(user)
    invoke(connect_event("warm=", token=mint_token(user)))
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda n: invoke(connect_event(f"R{n}=", token=token))["statusCode"], range(100)))
    assert codes.count(200) == 1
    assert set(codes) == {200, 401}
    assert sum(one.connection_id.startswith("R") for one in WebSocketSession.objects.all()) == 1


def test_only_a_hash_is_stored(user):
    token = mint_token(user)
    assert len(token) == 64
    assert set(token) <= set("0123456789abcdef")
    assert WebSocketToken.get(digest(token)).user_id == "7"
    assert token not in str([row.serialize(null_check=False) for row in WebSocketToken.scan()])


def test_tokens_are_all_different(user):
    assert len({mint_token(user) for _ in range(50)}) == 50


@pytest.mark.parametrize("how", ["deactivated", "deleted", "new password", "backend gone"])
def test_the_token_of_a_user_who_may_no_longer(user, how, settings):
    token = mint_token(user)
    if how == "deactivated":
        user.is_active = False
    elif how == "deleted":
        backends.people.clear()
    elif how == "new password":
        user.set_password("other")
    else:
        settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    assert invoke(connect_event(token=token))["statusCode"] == 401
    assert WebSocketToken.count(digest(token)) == 1


def test_a_refused_join_does_not_burn_the_token(user, settings):
    settings.WS_LAMBDA = {"UNLISTED_CHANNELS": "nobody"}
    token = mint_token(user)
    assert invoke(connect_event(token=token, channel="secret"))["statusCode"] == 403
    assert invoke(connect_event(token=token))["statusCode"] == 200


def test_the_hash_of_a_token_is_no_token(user):
    token = mint_token(user)
    assert invoke(connect_event(token=digest(token)))["statusCode"] == 401


def test_a_deactivated_user_gets_in_by_no_cookie_either(user, use_view):
    class Cookies(ChatView):
        USE_WS_TOKEN = False

    use_view(Cookies)
    cookie = {"Cookie": f"sessionid={log_in(user).session_key}"}
    assert invoke(connect_event("C1=", headers=cookie))["statusCode"] == 200
    user.is_active = False  # this backend lets inactive users pass, as Django's AllowAllUsersModelBackend does
    assert invoke(connect_event("C2=", headers=cookie))["statusCode"] == 403
