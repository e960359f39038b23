"""A reload of `ws_local` waits for what runs: an answer's last byte, a WebSocket event, a job of the queue."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, RemoteDisconnected
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from tests.local_site import environment_of
from tests.unit.local.conftest import (
    PATIENCE,
    URLS,
    Run,
    connected,
    project_in,
    running,
    wait_for,
)  # fmt: skip
from ws_lambda.local.in_flight import GRACE

SLOW = """
import time, urllib.request
from pathlib import Path
from django.http import StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

def mark(name):
    Path(__file__).with_name(name).write_text("")

def pieces():
    mark("begun")
    for number in range(25):
        yield f"{number} "
        time.sleep(0.1)
    yield "the end"

@csrf_exempt
def log_in(request):
    response = HttpResponse("x" * 200_000)
    response.set_cookie("session", request.POST["name"])
    return response

class Slow(Echo):
    def slow(self, request, *args, **kwargs):
        mark("begun")
        time.sleep(2.5)
        return JsonResponse({"version": 1, "slept": True})

urlpatterns[1] = path("ws/<slug:route>", Slow.as_view())
def kept_open(request):
    return HttpResponse("kept open", headers={"Content-Length": "9"})

urlpatterns += [path("kept-open", kept_open), path("log-in", log_in)]
urlpatterns += [path("stream", lambda request: StreamingHttpResponse(pieces()))]
"""

HANDLER = """
import time
from pathlib import Path
from ws_lambda.lambda_handler import handler as theirs

def handler(event, context):
    if "Records" not in event:
        return theirs(event, context)
    Path("begun").write_text("")
    time.sleep(2.5)
    with Path("ended").open("a") as ended:
        ended.write(event["Records"][0]["body"])
    return {"batchItemFailures": []}
"""


CODE = URLS + SLOW
VERSIONS = count(2)

Shared = tuple[Run, Path]


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One run of a project with answers that take 2.5 s, for all the tests."""
    folder = project_in(tmp_path_factory.mktemp("slow"), urls=CODE)
    (folder / "jobs.py").write_text(HANDLER)
    with running(folder, "--handler=jobs.handler") as run:
        yield run, folder


@pytest.fixture
def slow(shared_run: Shared) -> Shared:
    """That run and its folder, in which nothing has happened."""
    run, folder = shared_run
    for name in ("begun", "ended"):
        (folder / name).unlink(missing_ok=True)
    return run, folder


def edit(folder: Path) -> str:
    """Changes the code. Returns what the page says once it is loaded.

    Every version has a size of its own, because Python takes bytecode for current if the source has the same size and
    was changed in the same second.
    """
    text = "version " + "1" * next(VERSIONS)
    # Replaced at once, as editors do: a reload must not read half a file.
    (folder / "urls.next").write_text(CODE.replace("version 1", text))
    (folder / "urls.next").replace(folder / "urls.py")
    return text


def reload_during(folder: Path, work: Callable[[], str]) -> tuple[str, str]:
    """What `work` gives where code changes once it has begun; and what the page says with the new code."""
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(work)
        wait_for((folder / "begun").exists)
        text = edit(folder)
        return answer.result(PATIENCE), text


def test_a_streamed_answer_comes_to_its_end(slow: Shared) -> None:
    run, folder = slow

    def stream() -> str:
        with urllib.request.urlopen(f"{run.site}stream", timeout=PATIENCE) as answer:  # noqa: S310 - our own server
            return str(answer.read().decode())

    streamed, text = reload_during(folder, stream)
    assert streamed.endswith("24 the end")
    wait_for(lambda: run.page() == text)


def test_a_websocket_event_is_answered(slow: Shared) -> None:
    run, folder = slow
    with connected(run.gateway) as client:

        def call() -> str:
            client.send('{"action": "slow"}')
            return str(client.recv(PATIENCE))

        answer, text = reload_during(folder, call)
        assert json.loads(answer) == {"version": 1, "slept": True}
        wait_for(lambda: run.page() == text)


def test_a_job_of_the_queue_is_done_once(slow: Shared) -> None:
    run, folder = slow
    queue = boto3.client("sqs", endpoint_url=environment_of(run.page_url)["AWS_ENDPOINT_URL_SQS"], **run.keys)
    url = environment_of(run.page_url)["FANOUT_QUEUE_URL"]

    def send() -> str:
        queue.send_message(QueueUrl=url, MessageBody="job")
        wait_for((folder / "ended").exists)
        return (folder / "ended").read_text()

    done, text = reload_during(folder, send)
    assert done == "job"
    wait_for(lambda: run.page() == text)
    wait_for(lambda: set(left_on(queue, url)) == {"0"})
    assert (folder / "ended").read_text() == "job"
    queue.close()


def left_on(queue: Any, url: str) -> Collection[str]:
    """How many messages are on the queue, and how many of them are being worked off."""
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told: dict[str, str] = queue.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    return [told[name] for name in wanted]


def test_no_answer_to_a_login_is_cut_short(slow: Shared) -> None:
    """Logins one after another, each on a connection of its own, while code changes again and again."""
    run, folder = slow
    stop, answers, cut = threading.Event(), [], []

    def log_in(netloc: str) -> None:
        while not stop.is_set():
            connection = HTTPConnection(netloc, timeout=PATIENCE)
            try:
                connection.request("POST", "/log-in", "name=red", {"Content-Type": "application/x-www-form-urlencoded"})
                answer = connection.getresponse()
                answers.append((answer.status, len(answer.read())))
            except (RemoteDisconnected, ConnectionError, OSError) as lost:
                cut.append(repr(lost))
            finally:
                connection.close()

    with ThreadPoolExecutor() as pool:
        for _ in range(4):
            pool.submit(log_in, urlsplit(run.site).netloc)
        try:
            for _ in range(3):
                text = edit(folder)
                wait_for(lambda text=text: run.page() == text)
        finally:
            stop.set()
    assert cut == []
    assert set(answers) == {(200, 200_000)}
    assert len(answers) > 20


def test_a_spare_connection_does_not_delay_a_reload(slow: Shared) -> None:
    """Browsers open connections before they need them, and keep those that they have used."""
    run, folder = slow
    spare, used = (HTTPConnection(urlsplit(run.site).netloc, timeout=PATIENCE) for _ in range(2))
    spare.connect()
    used.request("GET", "/kept-open")
    assert used.getresponse().read() == b"kept open"
    before = time.monotonic()
    text = edit(folder)
    wait_for(lambda: run.page() == text)
    assert time.monotonic() - before < GRACE, "waited for what nobody asked"
    spare.close()
    used.close()


def test_requests_that_come_together_are_all_answered(slow: Shared) -> None:
    run, _folder = slow
    parts = urlsplit(run.site)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /kept-open HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3)
        said = b""
        while said.count(b"kept open") < 3:
            more = connection.recv(65_536)
            assert more, said
            said += more
