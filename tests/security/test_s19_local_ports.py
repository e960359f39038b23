"""S19: a page in the developer's browser, on whatever site, cannot read or write what a local run has.

Over real sockets: every port of a run, asked with the headers that a browser would send for such a page.
"""

import http.client
import json
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.local_site import environment_of
from tests.unit.local.conftest import MANAGE, SETTINGS, URLS, running

REBOUND = "evil.example"
PAGE = "http://127.0.0.1:9"
SIGNED = ("dynamodb", "sqs", "execute-api")
JSON = "application/x-amz-json-1.0"
Said = tuple[int, dict[str, str], str]

OF_A_PAGE = {
    "another loopback origin": {"Origin": PAGE},
    "a file's": {"Origin": "null"},
    "an empty one": {"Origin": ""},
    "a GET of a page on loopback": {"Sec-Fetch-Site": "same-site"},
    "a GET of a page elsewhere": {"Sec-Fetch-Site": "cross-site"},
}
REBINDING = {"a rebound name": {"Host": REBOUND}, "a name that looks alike": {"Host": "127.0.0.1.evil.example"}}
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


@dataclass(frozen=True)
class Ports:
    """A run, as its own environment describes it."""

    site: str
    page: str
    env: dict[str, str]

    def at(self, service: str) -> str:
        """The endpoint of a service."""
        names = {"dynamodb": "DYNAMODB", "sqs": "SQS", "execute-api": "APIGATEWAYMANAGEMENTAPI"}
        return self.env[f"AWS_ENDPOINT_URL_{names[service]}"]

    def signed(self, service: str, secret: str = "", **headers: str) -> Said:
        """Sends a request that would do something, signed with a secret or the run's own."""
        message = json.dumps({"QueueUrl": self.env["FANOUT_QUEUE_URL"], "MessageBody": "{}"})
        path, target, body = {
            "dynamodb": ("/", "DynamoDB_20120810.ListTables", "{}"),
            "sqs": ("/", "AmazonSQS.SendMessage", message),
            "execute-api": ("/@connections/any=", "", "hello"),
        }[service]
        url = self.at(service) + path
        host = headers.pop("Host", urllib.parse.urlsplit(url).netloc)
        given = {"Content-Type": JSON, "X-Amz-Target": target, "Host": host} | headers
        request = AWSRequest("POST", url.replace(urllib.parse.urlsplit(url).netloc, host), given, body)
        keys = Credentials(self.env["AWS_ACCESS_KEY_ID"], secret or self.env["AWS_SECRET_ACCESS_KEY"])
        SigV4Auth(keys, service, "eu-west-1").add_auth(request)
        return ask("POST", url, body, dict(request.headers.items()))


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """A run of a project that takes any Host (`ALLOWED_HOSTS = ["*"]`)."""
    folder = tmp_path_factory.mktemp("run")
    for name, text in (("settings.py", SETTINGS), ("urls.py", URLS), ("manage.py", MANAGE)):
        (folder / name).write_text(text)
    with running(folder, "--noreload") as run:
        yield Ports(run.site, run.page_url, environment_of(run.page_url))


def ask(method: str, url: str, body: str = "", headers: dict[str, str] | None = None) -> Said:
    """Status, headers by their names in lower case, and body."""
    parts = urllib.parse.urlsplit(url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=60)) as connection:
        connection.request(method, parts.path or "/", body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()


def test_a_job_signed_with_the_runs_secret_is_done(ports: Ports) -> None:
    assert ports.signed("dynamodb")[0] == 200
    assert ports.signed("sqs")[0] == 200
    assert ports.signed("execute-api")[0] == 410
    assert ports.env["AWS_SECRET_ACCESS_KEY"] not in ("", "local")
    assert len(ports.env["AWS_SECRET_ACCESS_KEY"]) >= 40


@pytest.mark.parametrize("service", SIGNED)
@pytest.mark.parametrize("how", OF_A_PAGE | REBINDING)
def test_no_page_is_answered_even_with_the_secret(ports: Ports, service: str, how: str) -> None:
    status, _headers, body = ports.signed(service, **(OF_A_PAGE | REBINDING)[how])
    assert status == 403, body


@pytest.mark.parametrize("service", SIGNED)
def test_its_own_origin_is_a_pages_too(ports: Ports, service: str) -> None:
    assert ports.signed(service, Origin=ports.at(service).removesuffix("/local").removesuffix("/_sqs"))[0] == 403


@pytest.mark.parametrize("service", SIGNED)
def test_another_secret_is_refused(ports: Ports, service: str) -> None:
    status, _headers, body = ports.signed(service, secret="local")
    assert status in (400, 403)
    assert "signature" in body


@pytest.mark.parametrize(
    ("service", "target"),
    [("dynamodb", "DynamoDB_20120810.Scan"), ("sqs", "AmazonSQS.SendMessage"), ("execute-api", "")],
)
@pytest.mark.parametrize("kind", ["text/plain", JSON])
def test_without_a_signature_nothing_is_done(ports: Ports, service: str, target: str, kind: str) -> None:
    path = "/@connections/any=" if service == "execute-api" else "/"
    status, headers, body = ask("POST", ports.at(service) + path, "{}", {"Content-Type": kind, "X-Amz-Target": target})
    assert status in (400, 403)
    assert "Missing Authentication Token" in body
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/local", "/local/@connections/x", "/_sqs/", "/env", "/_page/state", "/nowhere"])
@pytest.mark.parametrize("port", ["site", "page", "dynamodb"])
def test_no_port_lets_a_page_of_elsewhere_read_or_ask_first(ports: Ports, port: str, path: str) -> None:
    url = {"site": ports.site.rstrip("/"), "page": ports.page, "dynamodb": ports.at("dynamodb")}[port] + path
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
    for method in ("OPTIONS", "GET", "POST"):
        _status, headers, _body = ask(method, url, "", asked)
        assert not [name for name in headers if name.startswith("access-control")], method


@pytest.mark.parametrize("path", ["/", "/env", "/_page/page.js", "/_page/state", "/_page/stream", "/local", "/nowhere"])
@pytest.mark.parametrize("host", [REBOUND, f"{REBOUND}:8001", "localhost.evil.example", ""])
def test_a_rebound_name_is_refused_by_the_gateway(ports: Ports, path: str, host: str) -> None:
    assert ask("GET", ports.page + path, headers={"Host": host})[0] == 403


@pytest.mark.parametrize("host", [REBOUND, "127.0.0.1.evil.example", ""])
def test_a_rebound_name_is_refused_by_the_site(ports: Ports, host: str) -> None:
    status, _headers, body = ask("GET", ports.site, headers={"Host": host})
    assert (status, "version" in body) == (403, False)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "app.localhost", "[::1]"])
def test_the_names_of_this_machine_are_answered(ports: Ports, name: str) -> None:
    for url in (ports.site, ports.page + "/", ports.page + "/env"):
        port = urllib.parse.urlsplit(url).port
        assert ask("GET", url, headers={"Host": f"{name}:{port}"})[0] == 200
        assert ask("GET", url, headers={"Host": f"{name}:9999"})[0] == 200, "a forwarded port"


@pytest.mark.parametrize("how", OF_A_PAGE)
@pytest.mark.parametrize("path", ["/env", "/_page/state", "/_page/stream", "/_page/token", "/_page/act"])
def test_the_page_tells_its_secrets_to_no_other(ports: Ports, path: str, how: str) -> None:
    method = "POST" if path in ("/_page/token", "/_page/act") else "GET"
    status, _headers, body = ask(method, ports.page + path, "{}", {"X-Local-Page": "1"} | OF_A_PAGE[how])
    assert status == 403
    assert ports.env["AWS_SECRET_ACCESS_KEY"] not in body


def test_the_page_itself_refuses_another_origin_and_is_shown_in_no_frame(ports: Ports) -> None:
    assert ask("GET", ports.page + "/", headers={"Origin": PAGE})[0] == 403
    status, headers, _body = ask("GET", ports.page + "/", headers={"Sec-Fetch-Site": "same-site"})
    assert status == 200, "a link on the site leads here"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_only_dynamodb_is_served_and_only_what_a_run_needs(ports: Ports) -> None:
    url, keys = ports.at("dynamodb"), {"region_name": "eu-west-1", "aws_access_key_id": "local"}
    keys["aws_secret_access_key"] = ports.env["AWS_SECRET_ACCESS_KEY"]
    once = Config(retries={"total_max_attempts": 1})
    for service, call in (
        ("s3", lambda client: client.create_bucket(Bucket="b")),
        ("sqs", lambda client: client.create_queue(QueueName="q")),
        ("lambda", lambda client: client.list_functions()),
        ("iam", lambda client: client.list_users()),
        ("sts", lambda client: client.get_caller_identity()),
        ("secretsmanager", lambda client: client.list_secrets()),
        ("dynamodb", lambda client: client.execute_statement(Statement='SELECT * FROM "ws_lambda_sessions"')),
        ("dynamodb", lambda client: client.export_table_to_point_in_time(TableArn="arn:aws:x", S3Bucket="b")),
        ("dynamodbstreams", lambda client: client.list_streams()),
    ):
        # The answer is DynamoDB's, in JSON: clients of services that speak XML cannot even read it.
        refused = pytest.raises((ClientError, ResponseParserError))
        with closing(boto3.client(service, endpoint_url=url, config=once, **keys)) as client, refused:
            call(client)
    for target in ("AmazonSQS.ListQueues", "DynamoDBStreams_20120810.ListStreams", "DynamoDB_20111205.ListTables", ""):
        assert ports.signed("dynamodb", **{"X-Amz-Target": target})[0] == 400
    for path in ("/moto-api/", "/moto-api/data.json", "/moto-api/reset", "/static/dashboard.html"):
        for method in ("GET", "POST"):
            assert ask(method, url + path)[0] >= 400


def test_motos_own_headers_lead_to_no_other_account(ports: Ports) -> None:
    theirs = json.loads(ports.signed("dynamodb", **{"X-Moto-Account-Id": "111111111111"})[2])
    assert theirs == json.loads(ports.signed("dynamodb")[2])
    assert theirs["TableNames"]


def test_an_upgrades_origin_is_the_views_affair(ports: Ports) -> None:
    url = ports.page.replace("http:", "ws:") + "/local"
    with pytest.raises(InvalidStatus) as refused:
        connect(url, origin=PAGE)  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    with connect(url):
        pass
    assert [(one["kind"], one["status"]) for one in connects(ports)] == [("$connect", 403), ("$connect", 200)]


def connects(ports: Ports) -> list[dict[str, Any]]:
    """What the function was asked of two connects, as the live page has it."""
    with closing(http.client.HTTPConnection(urllib.parse.urlsplit(ports.page).netloc, timeout=60)) as connection:
        connection.request("GET", "/_page/stream")
        answer, found = connection.getresponse(), []
        while len(found) < 2:
            entry = answer.readline().removeprefix(b"data: ").strip()
            if entry and json.loads(entry)["kind"] == "$connect":
                found.append(json.loads(entry))
        return found


@pytest.mark.parametrize("how", REBINDING)
def test_an_upgrade_by_a_rebound_name_is_refused_without_asking_the_view(ports: Ports, how: str) -> None:
    status, _headers, body = ask("GET", ports.page + "/local", headers=UPGRADE | REBINDING[how])
    assert status == 403
    assert "is no name of this machine" in body
