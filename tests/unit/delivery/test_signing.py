"""Our signatures, against botocore's signer as the oracle."""

import datetime
import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from tests.far_side import FarSide
from ws_lambda import aws, clock, delivery
from ws_lambda.delivery import identity, signing
from ws_lambda.delivery.connection_requests import ConnectionRequests, region_of
from ws_lambda.delivery.identity import Identity
from ws_lambda.delivery.outcomes import Recipient

REGIONS = [
    "eu-west-1",
    "us-gov-west-1",
    "cn-north-1",
    "us-iso-east-1",
    "ap-southeast-4",
    "il-central-1",
    "mx-central-1",
]
connection_ids = st.text(st.sampled_from("abzAZ09_-=/+~. %é"), min_size=1, max_size=40).filter(lambda t: t.strip("."))
stages = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(
    lambda text: text.replace("/", "").replace("?", "").replace("#", "").strip(". ")
)
secrets = st.text(st.sampled_from("abcXYZ019/+"), min_size=16, max_size=40)
moments = st.integers(1_500_000_000, 4_000_000_000)


def oracle(request_url: str, method: str, body: bytes, who: Identity, region: str, moment: int) -> dict[str, str]:
    """The headers that botocore would send with the request."""
    request = AWSRequest(method=method, url=request_url, data=body)
    then = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    credentials = Credentials(who.access_key, who.secret_key, who.token or None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then.replace(tzinfo=None)):
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
    return dict(request.headers.items())


@given(
    connection_id=connection_ids,
    stage=stages,
    region=st.sampled_from(REGIONS),
    secret=secrets,
    token=st.one_of(st.just(""), secrets),
    moment=moments,
    body=st.binary(max_size=64),
    method=st.sampled_from(["POST", "GET", "DELETE"]),
    host=st.sampled_from(["abc123.execute-api.{}.amazonaws.com", "abc-vpce-0f1.execute-api.{}.vpce.amazonaws.com"]),
    port=st.sampled_from(["", ":443", ":8443"]),
)
def test_every_header_is_what_botocore_would_send(
    connection_id: str,
    stage: str,
    region: str,
    secret: str,
    token: str,
    moment: int,
    body: bytes,
    method: str,
    host: str,
    port: str,
) -> None:
    who = Identity("AKIDEXAMPLE", secret, token)
    recipient = Recipient(connection_id, f"https://{host.format(region)}{port}/{stage}", 0)
    with (
        mock.patch.object(identity, "current", return_value=who),
        mock.patch.object(clock, "now", return_value=moment + 0.9),
    ):
        ours = ConnectionRequests(method, body).request(recipient, 1.0, None)

    assert ours.url.isascii()
    assert ours.url.endswith("/@connections/" + quote(connection_id, safe="-._~"))
    assert dict(ours.headers) == oracle(ours.url, method, body, who, region, moment)


@given(moment=moments, body=st.binary(max_size=200), region=st.sampled_from(REGIONS))
def test_other_signed_headers_too(moment: int, body: bytes, region: str) -> None:
    """As the roster's queries to DynamoDB need it."""
    url = f"https://dynamodb.{region}.amazonaws.com/"
    extra = {"x-amz-target": "DynamoDB_20120810.Query", "content-type": "application/x-amz-json-1.0"}
    stamp = signing.Stamp(
        Identity("AKID", "secret", ""),
        moment=signing.timestamp(moment),
        region=region,
        service="dynamodb",
        method="POST",
        headers={"host": f"dynamodb.{region}.amazonaws.com", **extra},
    )
    request = AWSRequest(method="POST", url=url, data=body, headers=extra)
    then = datetime.datetime.fromtimestamp(moment, datetime.UTC).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        SigV4Auth(Credentials("AKID", "secret"), "dynamodb", region).add_auth(request)

    assert stamp.authorization("/", sha256(body).hexdigest()) == request.headers["Authorization"]


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("abc.execute-api.eu-north-1.amazonaws.com", "eu-north-1"),
        ("abc.execute-api.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("abc.execute-api-fips.us-gov-east-1.amazonaws.com", "us-gov-east-1"),
        ("abc.execute-api.us-east-2.api.aws", "us-east-2"),
        ("ws.example.com", "eu-west-1"),
        ("127.0.0.1:8001", "eu-west-1"),
    ],
)
def test_the_region_is_the_endpoints_own(host: str, region: str) -> None:
    assert region_of(host) == region


def test_a_new_second_and_new_credentials_are_signed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    recipient = Recipient("c1=", "https://abc.execute-api.eu-west-1.amazonaws.com/p", 0)
    api = ConnectionRequests("POST", b"x")
    moment = 1_731_324_924
    seen = []
    for second, token in ((0, "first"), (0, "second"), (1, "second")):
        monkeypatch.setattr(clock, "now", lambda second=second: moment + second)
        monkeypatch.setattr(identity, "current", lambda token=token: Identity("AKID", "secret", token))
        seen.append(dict(api.request(recipient, 1.0, None).headers))

    assert [one["X-Amz-Security-Token"] for one in seen] == ["first", "first", "second"]
    assert [one["X-Amz-Date"] for one in seen] == ["20241111T113524Z", "20241111T113524Z", "20241111T113525Z"]


VENDING = """
import datetime, json, pathlib
here = pathlib.Path(__file__)
number, seconds = json.loads(here.with_name("state.json").read_text())
here.with_name("state.json").write_text(json.dumps([number + 1, seconds]))
until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
print(json.dumps({"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "secret", "SessionToken": f"token{number}",
    "Expiration": until.isoformat()}))
"""


@pytest.fixture
def vending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Temporary credentials from botocore's own chain, `credential_process`, with a new token each time it is run."""
    (tmp_path / "vend.py").write_text(VENDING)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {sys.executable} {tmp_path / 'vend.py'}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    aws.forget()
    return lambda seconds: (tmp_path / "state.json").write_text(json.dumps([0, seconds])) and None


@pytest.mark.parametrize(("seconds", "different"), [(3_600, 1), (300, 2)])
def test_credentials_are_renewed_before_they_expire(
    vending: Callable[[float], None], far: FarSide, seconds: float, different: int
) -> None:
    vending(seconds)
    for _ in range(2):
        delivery.send(delivery.Listed([Recipient("c1=", far.endpoint_url, 1)]), "x", on_gone=lambda _gone: None)

    assert len({headers["x-amz-security-token"] for _, _, headers, _ in far.requests}) == different


def test_a_renewal_that_fails_in_a_round_does_not_end_it(
    vending: Callable[[float], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    vending(300)
    api = ConnectionRequests("POST", b"x")
    recipient = Recipient("c1=", "https://abc.execute-api.eu-west-1.amazonaws.com/p", 0)
    monkeypatch.setattr(clock, "now", lambda: 1_731_324_924.0)
    before = dict(api.request(recipient, 1.0, None).headers)
    (tmp_path / "state.json").unlink()  # the process fails from now on
    monkeypatch.setattr(clock, "now", lambda: 1_731_324_925.0)

    later = dict(api.request(recipient, 1.0, None).headers)

    assert later["X-Amz-Security-Token"] == before["X-Amz-Security-Token"]
    assert later["X-Amz-Date"] == "20241111T113525Z"
    assert "could not be renewed" in caplog.text
    with pytest.raises(CredentialRetrievalError):
        ConnectionRequests("POST", b"x").request(recipient, 1.0, None)


def test_without_a_region_a_custom_domain_is_a_failure_of_its_own(
    far: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    aws.forget()
    listed = [Recipient("c1=", "https://ws.example.com/live", 1)]

    report = delivery.send(delivery.Listed(listed), "x", on_gone=lambda _gone: None)

    assert [one.reason for one in report.failed] == ["no region to sign for: set AWS_REGION"]


def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws.session(), "get_credentials", lambda: None)

    with pytest.raises(NoCredentialsError):
        delivery.send(delivery.Listed([Recipient("c1=", "http://127.0.0.1:1/p", 1)]), "x", on_gone=lambda _gone: None)
