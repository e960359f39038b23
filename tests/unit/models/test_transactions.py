"""What a transaction raises when it is cancelled: the meaning of the item whose condition failed."""

from datetime import timedelta

import pytest
from pynamodb.exceptions import TransactWriteError

from ws_lambda import clock
from ws_lambda.exceptions import DuplicateConnection, RateLimited, TokenRefused
from ws_lambda.models import RateLimit
from ws_lambda.models.transactions import DecidingWrite
from ws_lambda.tables.tokens import EndedLogin

pytestmark = pytest.mark.usefixtures("ws_tables")

ABSENT = RateLimit.scope.does_not_exist()


def counter(scope):
    return RateLimit(scope, "-", expires_at=clock.utcnow() + timedelta(hours=1))


def write_all(*, check=None, delete=None, put=None, update=None):
    """One item of each kind; they are added in another order than PynamoDB sends them in."""
    with DecidingWrite() as transaction:
        transaction.update(counter("d"), [RateLimit.hits.add(1)], ABSENT, means=update)
        transaction.save(counter("c"), ABSENT, means=put)
        transaction.delete(counter("b"), ABSENT, means=delete)
        transaction.condition_check(EndedLogin, "a", condition=EndedLogin.token_hash.does_not_exist(), means=check)


@pytest.mark.parametrize(
    ("there", "meant"),
    [("b", {"delete": TokenRefused}), ("c", {"put": DuplicateConnection}), ("d", {"update": RateLimited})],
)
def test_the_failing_item_is_named_whatever_the_order_of_adding(there, meant):
    counter(there).save()
    (expected,) = meant.values()
    with pytest.raises(expected):
        write_all(**{"check": ValueError, "delete": ValueError, "put": ValueError, "update": ValueError, **meant})


def test_of_two_that_fail_the_first_sent_speaks():
    EndedLogin("a", expires_at=clock.utcnow() + timedelta(hours=1)).save()
    counter("d").save()
    with pytest.raises(TokenRefused):
        write_all(check=TokenRefused, update=RateLimited)


def test_a_failure_that_means_nothing_is_raised_as_it_came():
    counter("c").save()
    with pytest.raises(TransactWriteError):
        write_all()


def test_nothing_is_raised_if_all_conditions_hold():
    write_all(check=ValueError, delete=ValueError, put=ValueError, update=ValueError)
    assert RateLimit.get("d", "-").hits == 1
