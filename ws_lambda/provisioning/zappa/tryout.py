"""Tests the zip before it is uploaded, in an interpreter that has nothing else installed.

If trimming removed too much, a module is missing, or the settings do not load, the deploy stops here. The function
that is deployed keeps running.
"""

import json
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ws_lambda.exceptions import ProvisioningError

DRIVER = Path(__file__).with_name("drive.py")


@dataclass(frozen=True, kw_only=True)
class Tryout:
    """The result of a tryout."""

    import_ms: float
    connect_ms: float
    """The import and the first CONNECT together, as in a cold start."""

    connect: int
    """The status of a CONNECT with an unknown token."""

    request: int
    """The status of `GET /`."""

    calls: tuple[str, ...]
    """The DynamoDB operations that were called."""

    def __str__(self) -> str:
        return f"loads in {self.import_ms:.0f} ms, first CONNECT answered {self.connect}, GET / answered {self.request}"


def try_out(archive: Path, *, handler: str, environment: Mapping[str, str], borrowed: Path | None = None) -> Tryout:
    """Loads a package and sends it a CONNECT and a GET.

    Args:
        archive: the zip.
        handler: the function's handler, `module.function`.
        environment: the function's environment variables.
        borrowed: a directory with boto3, for a package that relies on the one in Lambda's runtime.

    Raises:
        ProvisioningError: the package does not load, or answers with an error.
    """
    with tempfile.TemporaryDirectory(prefix="ws-lambda-tryout-") as scratch:
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(scratch)
        return drive(Path(scratch), handler=handler, environment=environment, borrowed=borrowed)


def drive(root: Path, *, handler: str, environment: Mapping[str, str], borrowed: Path | None = None) -> Tryout:
    """`try_out` for a package that is already unpacked."""
    # -I and -S exclude the packages of this environment and the current directory.
    command = [sys.executable, "-I", "-S", "-B", str(DRIVER), str(root), handler, *map(str, filter(None, [borrowed]))]
    with _empty_dynamodb() as (url, calls):
        done = subprocess.run(  # noqa: S603 - our own interpreter, our own file
            command,
            env=_lambda_environment(url, handler, environment),
            cwd=root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    try:
        found = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    except ValueError:
        found = {"error": f"It ended with exit code {done.returncode}."}
    return _judge(found, tuple(calls), done.stderr)


def _judge(found: dict[str, Any], calls: tuple[str, ...], log: str) -> Tryout:
    wrong = found.pop("error", None)
    for name in ("connect", "request"):
        # The token is unknown and nobody is logged in, so a refusal is correct. An error is not.
        if wrong is None and not 200 <= found[name] < 500:
            wrong = f"The {name} event was answered with {found[name]}."
    if wrong is not None:
        raise ProvisioningError(f"The package does not work and was not uploaded.\n{wrong}\n{log[-4000:]}")
    return Tryout(**found, calls=calls)


def _lambda_environment(dynamodb: str, handler: str, given: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "AWS_LAMBDA_FUNCTION_NAME": "tryout",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "_HANDLER": handler,
        **given,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "tryout",
        "AWS_SECRET_ACCESS_KEY": "tryout",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": dynamodb,
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        # The deployed values name another API than the one in the events of this tryout.
        "WS_LAMBDA_GATEWAY_IDS": "tryout",
        "WS_LAMBDA_HTTP_HOST": "tryout.execute-api.eu-west-1.amazonaws.com",
        "WS_LAMBDA_WEBSOCKET_URL": "wss://tryout.execute-api.eu-west-1.amazonaws.com/tryout",
    }


@contextmanager
def _empty_dynamodb() -> Iterator[tuple[str, list[str]]]:
    """A DynamoDB on loopback in which every table exists and is empty. Yields its URL and the list of calls."""
    calls: list[str] = []

    class Tables(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            calls.append(operation)
            body = json.dumps(_answer(operation, asked)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tables)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case "BatchGetItem":
            return {"Responses": {name: [] for name in asked["RequestItems"]}, "UnprocessedKeys": {}}
        case "BatchWriteItem":
            return {"UnprocessedItems": {}}
        case "TransactGetItems":
            return {"Responses": [{} for _ in asked["TransactItems"]]}
        case "Query" | "Scan":
            return {"Items": [], "Count": 0, "ScannedCount": 0}
        case "UpdateItem" if asked.get("ReturnValues", "NONE") != "NONE":
            return {"Attributes": {**asked["Key"], "count": {"N": "1"}}}
    return {}
