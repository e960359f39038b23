"""A login of a user: a Django session, and WebSocket tokens for it."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, login
from django.http import HttpRequest


def backend_of(user: Any) -> str:
    """The path of the auth backend that a user belongs to. Default: the first one in the settings."""
    return getattr(user, "backend", None) or settings.AUTHENTICATION_BACKENDS[0]


@dataclass(frozen=True, slots=True)
class Login:
    """A logged-in Django session."""

    session: Any

    @classmethod
    def new(cls, user: Any) -> "Login":
        """Logs the user in without a password, in a new session."""
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore()
        login(request, user, backend_of(user))
        request.session.save()
        return cls(request.session)

    @classmethod
    def of(cls, http: Any) -> "Login":
        """The login of a Django test client.

        Raises:
            ValueError: the test client is not logged in.
        """
        session = http.session
        if SESSION_KEY not in session:
            raise ValueError("The HTTP client is not logged in: use its login() or force_login() first.")
        return cls(session)

    def still_of(self, user: Any) -> bool:
        """Whether the login is still valid: not ended here, nor invalidated by a new password."""
        return bool(self.session.session_key) and self.session[HASH_SESSION_KEY] == user.get_session_auth_hash()

    def mint(self) -> str:
        """A new WebSocket token. TOKENS_PER_MINUTE does not count it; use the token view to test that limit."""
        from ws_lambda.gatekeeping.logins import known_login, proof_of_login
        from ws_lambda.models import WebSocketToken

        return WebSocketToken.mint(
            user_id=str(self.session[SESSION_KEY]),
            auth_backend=self.session[BACKEND_SESSION_KEY],
            auth_hash=self.session[HASH_SESSION_KEY],
            session_key=self.session.session_key,
            login_id=known_login(self.session),
            login_proof=proof_of_login(self.session),
        )
