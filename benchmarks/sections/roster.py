"""Reading 10,000 members: ours, PynamoDB's models, boto3. CPU of the reading process."""

from typing import Any

from benchmarks import dynamodb, process

MEMBERS = 10_000
ENDPOINT = "https://abc123.execute-api.eu-west-1.amazonaws.com/production"


def measure() -> dict[str, Any]:
    """The section of results.json."""
    with dynamodb.serving(MEMBERS, ENDPOINT) as url:
        env = {"AWS_ENDPOINT_URL_DYNAMODB": url}
        ways = ("ours", "pynamodb", "boto3")
        cpu = {way: process.run("benchmarks.readers", way, MEMBERS, env=env)["cpu"] for way in ways}
    return {f"{way}_ms_per_10k": round(seconds * 1000, 1) for way, seconds in cpu.items()}


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    targets = {"ours": "at most 30 ms"}
    return [
        (f"roster of 10,000, {way}", f"{result[f'{way}_ms_per_10k']} ms", targets.get(way, ""))
        for way in ("ours", "pynamodb", "boto3")
    ]
