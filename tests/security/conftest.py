"""What several stories about losing a right have in common."""

import pytest
from django.contrib.auth import get_user_model

from tests.security.login_story import Browser
from ws_lambda import clock, delivery


@pytest.fixture
def dropped(ws_tables, monkeypatch):
    """Connections whose sockets were closed, as `@connections` was told."""
    closed = []

    def close(recipients):
        named = [one.connection_id for one in recipients]
        closed.extend(named)
        return delivery.DeliveryReport(sent=len(named))

    monkeypatch.setattr(delivery, "close", close)
    return closed


@pytest.fixture
def later(monkeypatch):
    """Moves the clock."""
    real, moved = clock.now, [0.0]
    monkeypatch.setattr(clock, "now", lambda: real() + moved[0])

    def by(seconds):
        moved[0] += seconds

    return by


@pytest.fixture
def ann(ws_tables):
    return get_user_model().objects.create_user("ann", password="secret-ann")


@pytest.fixture
def bob(ws_tables):
    return get_user_model().objects.create_user("bob", password="secret-bob")


@pytest.fixture
def browser(ann, dropped):
    return Browser().log_in("ann")
