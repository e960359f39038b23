"""The far side of the measurements: nginx on loopback, which answers 200 to any POST. Plain and TLS, near and far.

It answers 410 about connections whose id ends in `G=`.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.tls import certificate

BINARY = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

# limit_req lets each connection have one answer every 10 ms: what a round trip of 10 ms does to a kept connection.
CONFIG = """
worker_processes 1; daemon off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/f;
  uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  limit_req_zone $connection zone=far:10m rate=100r/s;
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;
    ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem;
    location / {{ return 200 ""; }}
    location ~ ^/production/.*G=$ {{ return 410 ""; }}
    location /far/ {{ limit_req zone=far burst=100; try_files /nothing @ok; }}
    location @ok {{ return 200 ""; }}
  }}
}}
"""


@dataclass(frozen=True)
class FarSide:
    """Where the four variants of an endpoint are."""

    plain: int
    tls: int
    ca_file: str

    def endpoint(self, variant: str) -> str:
        """The endpoint URL of "plain", "tls", "plain_10ms" or "tls_10ms"."""
        base = f"https://localhost:{self.tls}" if variant.startswith("tls") else f"http://127.0.0.1:{self.plain}"
        return base + ("/far/production" if variant.endswith("_10ms") else "/production")


@contextmanager
def serving() -> Iterator[FarSide]:
    """nginx, for as long as the block."""
    if BINARY is None:
        raise RuntimeError("nginx is not installed")
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        certificate(root)
        plain, tls = _free_port(), _free_port()
        (root / "nginx.conf").write_text(CONFIG.format(root=root, plain=plain, tls=tls))
        process = subprocess.Popen([BINARY, "-p", directory, "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            _wait_for(plain)
            yield FarSide(plain, tls, str(root / "cert.pem"))
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("nginx did not start")
