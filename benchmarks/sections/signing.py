"""One SigV4 signature: ours, botocore's, awscrt's."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from ws_lambda.delivery.identity import Identity
from ws_lambda.delivery.signing import Stamp, timestamp

HOST = "abc123.execute-api.eu-west-1.amazonaws.com"
PATH = "/production/@connections/BFHPhfCWIAMCKlQ%3D"
SIGNED_PATH = "/production/%40connections/BFHPhfCWIAMCKlQ%253D"
BODY = b'{"type":"chat_message","message":"hello everyone"}'
WHO = Identity("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "")


def measure() -> dict[str, Any]:
    """The section of results.json."""
    return {"ours_us": _time(_ours()), "botocore_us": _time(_botocore()), "awscrt_us": _awscrt_us()}


def _time(sign: Callable[[], object]) -> float:
    """Microseconds of a call: the best of seven rounds, since whatever else runs only adds."""
    best = float("inf")
    for _ in range(7):
        started = time.perf_counter()
        for _ in range(3_000):
            sign()
        best = min(best, (time.perf_counter() - started) / 3_000)
    return round(best * 1e6, 2)


def _ours() -> Callable[[], object]:
    stamp = Stamp(
        WHO,
        moment=timestamp(int(time.time())),
        region="eu-west-1",
        service="execute-api",
        method="POST",
        headers={"host": HOST},
    )
    body_hash = sha256(BODY).hexdigest()
    return lambda: stamp.authorization(SIGNED_PATH, body_hash)


def _botocore() -> Callable[[], object]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    signer = SigV4Auth(Credentials(WHO.access_key, WHO.secret_key), "execute-api", "eu-west-1")
    return lambda: signer.add_auth(AWSRequest(method="POST", url=f"https://{HOST}{PATH}", data=BODY))


def _awscrt_us() -> float | None:
    try:
        from awscrt import auth, http, io
    except ImportError:
        print("  awscrt is not installed: its row is left out")
        return None
    provider = auth.AwsCredentialsProvider.new_static(WHO.access_key, WHO.secret_key)
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=provider,
        region="eu-west-1",
        service="execute-api",
        signed_body_value=sha256(BODY).hexdigest(),
    )
    del io

    def sign() -> object:
        headers = http.HttpHeaders([("host", HOST)])
        return auth.aws_sign_request(http.HttpRequest("POST", PATH, headers), config).result()

    return _time(sign)


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    lines = [("a signature, ours", f"{result['ours_us']} µs", "at most 8 µs")]
    lines.append(("a signature, botocore", f"{result['botocore_us']} µs", ""))
    if result["awscrt_us"]:
        lines.append(("a signature, awscrt", f"{result['awscrt_us']} µs", ""))
    return lines
