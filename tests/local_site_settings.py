"""The demo, with limits for a test run, which is busier than any person and may have to wait, and a quicker log-in."""

from project.settings import *  # noqa: F403
from project.settings import WS_LAMBDA as _AS_IT_IS

WS_LAMBDA = {
    **_AS_IT_IS,
    "TOKENS_PER_MINUTE": 100_000,
    "CONNECTS_PER_MINUTE": 100_000,
    "REFUSALS_PER_MINUTE": 100_000,
    "TOKEN_SECONDS": 600,
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
