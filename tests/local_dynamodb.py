"""The DynamoDB process of `ws_local`, without the rest."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

ACCESS_KEY, SECRET = "local", "a secret of this run"
ONCE = Config(retries={"total_max_attempts": 1})


@dataclass(frozen=True, slots=True)
class LocalDynamoDB:
    """Where it listens."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str = "dynamodb", secret: str = SECRET, url: str = "") -> Any:
        """boto3's own client of it, which asks once."""
        return boto3.client(
            service, endpoint_url=url or self.url, region_name="eu-west-1", aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret, config=ONCE,
        )  # fmt: skip


@contextmanager
def running() -> Iterator[LocalDynamoDB]:
    """Runs it for the time of a `with` block."""
    ours, theirs = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listening, ours, theirs:
        command = [sys.executable, "-m", "ws_lambda.local.dynamodb", f"--http-fd={listening.fileno()}"]
        env = os.environ | {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        with subprocess.Popen(
            [*command, f"--parent-pipe-fd={theirs.fileno()}"], env=env, pass_fds=(listening.fileno(), theirs.fileno())
        ) as process:
            try:
                yield LocalDynamoDB(listening.getsockname()[1])
            finally:
                process.terminate()
