"""Faults as the command line gives them."""

import pytest

from ws_lambda.local.fault_injection import Faults, parse


def test_what_the_command_line_says():
    faults = parse(["disconnect.drop=0.1", "connections.gone", "disconnect.delay=30"], "20-80ms")
    assert faults == Faults(disconnect_drop=0.1, connections_gone=1, disconnect_delay=30, latency=(0.02, 0.08))
    assert parse(["connect.slow=2.5"]) == Faults(connect_slow=2.5)
    assert parse([], "50").latency == (0.05, 0.05)
    assert parse([]) == Faults()


def test_faults_of_dynamodb():
    faults = parse(["dynamodb.cut=0.2", "dynamodb.throttle=0.1", "dynamodb.error=0.05"])
    assert faults.of_dynamodb == {"cut": 0.2, "throttle": 0.1, "error": 0.05}


@pytest.mark.parametrize(
    ("settings", "latency", "said"),
    [
        (["nonsense=1"], "", "There is no fault 'nonsense'"),
        (["kill=2"], "", "from 0 to 1"),
        (["kill=-1"], "", "from 0 to 1"),
        (["kill=often"], "", "needs a number"),
        (["kill=nan"], "", "from 0 to 1"),
        (["disconnect.delay=inf"], "", "0 or more"),
        (["disconnect.delay=-1"], "", "0 or more"),
        (["dynamodb.cut=0.6", "dynamodb.error=0.5"], "", "must add up to 1"),
        (["connect.slow=-1"], "", "0 or more"),
        (["connect.slow=soon"], "", "needs a number"),
        ([], "slow", "latency needs a number"),
        ([], "80-20", "20-80, not 80-20"),
    ],
)
def test_what_it_cannot_say(settings, latency, said):
    with pytest.raises(ValueError, match=said):
        parse(settings, latency)
