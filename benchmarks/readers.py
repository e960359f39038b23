"""The ways to read a roster that are compared: `python -m benchmarks.readers ours 10000`. Prints one line of JSON."""

import json
import resource
import sys
from collections.abc import Callable

import django
from django.conf import settings

ROUNDS = 5


def ours() -> int:
    """The roster of this package."""
    from ws_lambda.delivery import roster

    return sum(1 for _ in roster.members("general"))


def pynamodb() -> int:
    """The model of the membership table, asked for the same three attributes."""
    from ws_lambda.models import ChannelMembership

    wanted = ["connection_id", "endpoint_url", "connected_at"]
    return sum(1 for row in ChannelMembership.query("general", attributes_to_get=wanted) if row.endpoint_url)


def boto3() -> int:
    """The low-level client of the AWS SDK."""
    from ws_lambda import aws

    pages = aws.client("dynamodb").get_paginator("query")
    asked = {
        "TableName": "bench_memberships",
        "KeyConditionExpression": "channel = :channel",
        "ProjectionExpression": "connection_id, endpoint_url, connected_at",
        "ExpressionAttributeValues": {":channel": {"S": "general"}},
    }
    return sum(1 for page in pages.paginate(**asked) for row in page["Items"] if row["endpoint_url"]["S"])


WAYS: dict[str, Callable[[], int]] = {"ours": ours, "pynamodb": pynamodb, "boto3": boto3}


def main(kind: str, members: str) -> None:
    settings.configure(WS_LAMBDA={"TABLE_PREFIX": "bench_"})
    django.setup()
    read = WAYS[kind]
    assert read() == int(members)
    taken = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_SELF)
        assert read() == int(members)
        after = resource.getrusage(resource.RUSAGE_SELF)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(json.dumps({"cpu": min(taken)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
