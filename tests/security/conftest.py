"""What several stories about losing a right have in common."""

import pytest

from ws_lambda import delivery


@pytest.fixture
def dropped(tables, monkeypatch):
    """Connections whose sockets were closed, as `@connections` was told."""
    closed = []

    def close(recipients):
        named = [one.connection_id for one in recipients]
        closed.extend(named)
        return delivery.DeliveryReport(sent=len(named))

    monkeypatch.setattr(delivery, "close", close)
    return closed
