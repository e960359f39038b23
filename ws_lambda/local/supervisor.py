"""What `manage.py ws_local` runs: this process keeps the sockets and connections, others run the code.

    supervisor (this process): every listening socket, the gateway
    ├── dynamodb: moto, unless AWS_ENDPOINT_URL_DYNAMODB names another engine
    └── worker:   Django over HTTP and the function; restarted when code changes

So an edited view is live in a second, while open WebSockets, logins and data stay, as on AWS.
"""

import asyncio
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from ws_lambda.local.children import Child
from ws_lambda.local.fault_injection import Faults
from ws_lambda.local.run_options import ACCESS_KEY, QUEUE, QUEUE_PATH, REGION, RELOAD, STAGE, RunOptions
from ws_lambda.local.startup import uncollected

OTHER_PORTS = "Choose another one with --port or --ws-port, or with PORT= or WS_PORT= of make run."


class PortTakenError(Exception):
    """A port is in use, or is no valid port."""


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes any free one.

    Raises:
        PortTakenError: another program listens there already, or the port may not be used.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or "it must be from 0 to 65535"
        raise PortTakenError(f"Port {port} on 127.0.0.1 cannot be used: {why}. {OTHER_PORTS}") from error
    listening.listen(1024)
    return listening


def _url(listening: socket.socket | None) -> str:
    return "http://{}:{}".format(*listening.getsockname()) if listening else ""


class Supervisor:
    """One run of `ws_local`."""

    def __init__(self, options: RunOptions, say: Callable[[str], None]) -> None:
        self._options, self._say = options, say
        self._secret = secrets.token_urlsafe(32)
        self._http = listen(options.port)
        self._ws = listen(options.ws_port)
        self._database = None if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ else listen(0)
        self._engine_url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or _url(self._database)
        self._faulty = listen(0) if any(options.faults.of_dynamodb.values()) else None
        self._stopping = asyncio.Event()
        self._code = 0
        self._prepared: Future[None] | None = None

    @property
    def http_url(self) -> str:
        return "http://{}:{}/".format(*self._http.getsockname())

    @property
    def gateway_host(self) -> str:
        return "{}:{}".format(*self._ws.getsockname())

    def run(self) -> int:
        """Runs until Ctrl-C or SIGTERM; the exit code."""
        for name, value in self._environment().items():
            if value:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
        paths = filter(None, [sys.path[0], os.environ.get("PYTHONPATH", "")])
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
        try:
            code = asyncio.run(self._main())
        finally:
            for one in (self._http, self._ws, self._database, self._faulty):
                if one is not None:
                    one.close()
        if self._prepared is not None and not self._prepared.done():
            # A normal exit stops the thread wherever it is. In the middle of a garbage collection this leaves lists
            # that the interpreter then follows for ever while it finalises.
            os._exit(code)
        return code

    def _environment(self) -> Mapping[str, str]:
        """The environment of AWS clients in every process of the run. "" stands for a variable that must not be set."""
        gateway = f"{self.gateway_host}/{STAGE}"
        env = {
            "AWS_PROFILE": "",
            "AWS_SESSION_TOKEN": "",
            "AWS_SECURITY_TOKEN": "",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self._secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"http://{gateway}",
            "AWS_ENDPOINT_URL_SQS": f"http://{self.gateway_host}{QUEUE_PATH}",
            "FANOUT_QUEUE_URL": f"http://{self.gateway_host}{QUEUE_PATH}/000000000000/{QUEUE}",
            "WS_LAMBDA_WEBSOCKET_URL": f"ws://{gateway}",
        }
        database = _url(self._faulty) if self._faulty else self._engine_url
        return env | {"AWS_ENDPOINT_URL_DYNAMODB": database}

    async def _main(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        # After the signal handlers, so that no signal leaves the folder behind. After a SIGKILL the worker removes it.
        with (
            tempfile.TemporaryDirectory(prefix="ws_local-", ignore_cleanup_errors=True) as folder,
            socket.socket(socket.AF_UNIX) as invoke,
        ):
            invoke_path = str(Path(folder, "function.sock"))
            invoke.bind(invoke_path)
            invoke.listen(1024)
            worker = Child(
                "ws_lambda.local.worker",
                {"http": self._http, "invoke": invoke},
                os.environ,
                f"--handler={self._options.handler}",
                f"--leftover={folder}",
                *(["--reload"] if self._options.reload else []),
            )
            return await self._run(worker, invoke_path)

    async def _run(self, worker: Child, invoke_path: str) -> int:
        database = self._database and Child("ws_lambda.local.dynamodb", {"http": self._database}, os.environ)
        try:
            if database:
                await database.start()
                self._watch = asyncio.create_task(self._end_with(database))
            await worker.start()
            return await self._serve(worker, invoke_path)
        finally:
            self._stopping.set()
            await worker.stop()
            if database:
                await database.stop()

    async def _end_with(self, database: Child) -> None:
        """Ends the run when DynamoDB ends: requests would wait for ever, because its socket stays open."""
        code = await database.wait()
        if not self._stopping.is_set():
            self._say(f"DynamoDB has stopped (exit code {code}), and the data is lost.")
            self._code = 1
            self._stopping.set()

    async def _serve(self, worker: Child, invoke_path: str) -> int:
        # Imported here, so that the child processes start meanwhile.
        with uncollected():
            from ws_lambda.local.dynamodb_faults import DynamoDBFaults, FaultyDynamoDB
            from ws_lambda.local.setup import make_server, prepare

        said = self._options.faults
        faults = DynamoDBFaults(cut=said.dynamodb_cut, throttle=said.dynamodb_throttle, error=said.dynamodb_error)
        proxy = FaultyDynamoDB(self._engine_url, seed=self._options.seed)
        server, close = make_server(self._options, self.gateway_host, self.http_url, invoke_path, self._environment())
        try:
            if self._faulty:
                await proxy.start(self._faulty)
            await server.start(self._ws)
            self._prepared = aside(prepare)
            prepared: asyncio.Future[None] = asyncio.wrap_future(self._prepared)
            await self._or_stop(prepared)
            proxy.faults = faults  # only now, when the tables and the accounts exist
            if not self._stopping.is_set():
                worker.release()
                self._say(banner(self._options, self.http_url, self.gateway_host))
            return await self._keep(worker)
        finally:
            await server.stop()
            await close()
            await proxy.stop()

    async def _keep(self, worker: Child) -> int:
        """Starts the worker again whenever its exit code asks for it."""
        while not self._stopping.is_set():
            ended = asyncio.ensure_future(worker.wait())
            await self._or_stop(ended)
            if self._stopping.is_set():
                break
            if (code := ended.result()) != RELOAD:
                self._say(f"Django has stopped (exit code {code}).")
                return code or 1
            await worker.start()
        return self._code

    async def _or_stop(self, work: Awaitable[object]) -> None:
        """Waits for `work`, or until the run has to end. Raises the error of `work`."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if task.done():
            task.result()
        else:
            task.cancel()


def aside(work: Callable[[], None]) -> Future[None]:
    """Runs `work` in a thread that nothing waits for at the end: botocore retries a dead DynamoDB for a long time."""
    outcome: Future[None] = Future()
    outcome.set_running_or_notify_cancel()  # from here on it cannot be cancelled, only left alone

    def run() -> None:
        try:
            work()
        except Exception as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    threading.Thread(target=run, daemon=True).start()
    return outcome


def banner(options: RunOptions, http_url: str, gateway_host: str) -> str:
    """Tells the addresses, the accounts, and how to repeat the faults."""
    from ws_lambda.local.accounts import configured

    lines = [
        f"  Site       {http_url}",
        f"  Gateway    http://{gateway_host}/   (ws://{gateway_host}/{STAGE})",
    ]
    if logins := ", ".join(f"{name} / {given['password']}" for name, given in configured().items()):
        lines.append(f"  Log in as  {logins}")
    if options.faults != Faults():
        lines.append(f"  Faults     injected; repeat them with --seed {options.seed}")
    lines.append(f'  Commands   eval "$(curl -s http://{gateway_host}/env)", then any manage.py command')
    return "\n".join(["", *lines, "", "  Press Ctrl-C to stop."])
