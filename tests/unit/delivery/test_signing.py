"""Our signatures, against botocore's signer as the oracle."""

import datetime
from hashlib import sha256
from unittest import mock
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from ws_lambda import clock
from ws_lambda.delivery import identity, signing
from ws_lambda.delivery.identity import Identity
from ws_lambda.delivery.management import Api, region_of
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
        ours = Api(method, body).request(recipient, 1.0, None)

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
        body_hash=sha256(body).hexdigest(),
    )
    request = AWSRequest(method="POST", url=url, data=body, headers=extra)
    then = datetime.datetime.fromtimestamp(moment, datetime.UTC).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        SigV4Auth(Credentials("AKID", "secret"), "dynamodb", region).add_auth(request)

    assert stamp.authorization("/") == request.headers["Authorization"]


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
    api = Api("POST", b"x")
    moment = 1_731_324_924
    seen = []
    for second, token in ((0, "first"), (0, "second"), (1, "second")):
        monkeypatch.setattr(clock, "now", lambda second=second: moment + second)
        monkeypatch.setattr(identity, "current", lambda token=token: Identity("AKID", "secret", token))
        seen.append(dict(api.request(recipient, 1.0, None).headers))

    assert [one["X-Amz-Security-Token"] for one in seen] == ["first", "first", "second"]
    assert [one["X-Amz-Date"] for one in seen] == ["20241111T113524Z", "20241111T113524Z", "20241111T113525Z"]


def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import NoCredentialsError

    from ws_lambda import aws, delivery

    monkeypatch.setattr(aws.session(), "get_credentials", lambda: None)

    with pytest.raises(NoCredentialsError):
        delivery.send(delivery.Listed([Recipient("c1=", "http://127.0.0.1:1/p", 1)]), "x", on_gone=lambda _gone: None)
