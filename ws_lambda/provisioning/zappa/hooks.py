"""Completes Zappa's deploy: `"callbacks": {"settings": "ws_lambda.provisioning.zappa.hooks.settings"}`.

Zappa calls `settings` with its command line object before every command. The hooks wrap some steps on that object;
Zappa itself is not changed. In the order of a deploy:

    settings                   placeholders, environment, role policy, one bucket for each account
    get_zappa_settings_string  the functions of all `events` are packed, not only those of event sources
    create_package             the package is trimmed, compiled and tested before the upload
    schedule_events            rules without a role; partial batch failures for the fan-out queue
    create_websocket_api       the `websocket_api` block is applied to the template
    update_stack               afterwards the function gets its addresses, and its role is limited to its own API
    status, undeploy           show and delete what was added
"""

import contextlib
import functools
import io
import json
from collections.abc import Callable
from typing import Any

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa import leftovers, package
from ws_lambda.provisioning.zappa.steps import Stage

ENTRY = "ws_lambda.lambda_handler.handler"
WEBSOCKET_MODULE = "ws_lambda.zappa_entry"
SNAPSTART_FROM = (3, 12)


def settings(cli: Any) -> None:
    """The `settings` callback.

    Args:
        cli: Zappa's `ZappaCLI`, with the stage's settings loaded.

    Raises:
        click.ClickException: the settings of the stage cannot work. Zappa prints the message and stops.
    """
    stage = Stage(cli)
    _complain(_check)(stage)
    _complain(stage.prepare)()
    _after(cli, "create_package", stage.package)
    cli.zappa.events_client.meta.events.register("before-parameter-build.events.PutRule", _without_role)
    _after(cli.zappa, "schedule_events", stage.correct_mappings)
    _after(cli.zappa, "create_websocket_api", stage.complete_template)
    _after(cli.zappa, "update_stack", stage.introduce)
    _around_status(cli, stage)
    _around_packed_settings(cli)
    _around_template(cli)
    _around_urls(cli, stage)
    _around_undeploy(cli, stage)
    _refuse_certify(cli)


def _check(stage: Stage) -> None:
    cli = stage.cli
    if cli.app_type == "asgi":
        raise ProvisioningError('"app_type": "asgi" answers every request of Django 5.2 with an empty 200. Remove it.')
    if cli.stage_config.get("slim_handler"):
        raise ProvisioningError(
            '"slim_handler" loads the project from S3 on every cold start. It is not needed here: remove it.'
        )
    if cli.snap_start not in (None, "None") and package.version_of(cli.runtime) < SNAPSTART_FROM:
        raise ProvisioningError(
            f'Lambda has no SnapStart for {cli.runtime}. Set "runtime" to python3.12 or newer, or remove "snap_start".'
        )
    if cli.lambda_handler == "handler.lambda_handler":
        cli.lambda_handler = ENTRY
    if not cli.stage_config.get("websocket_handler_module"):
        # Otherwise Zappa takes the first file that imports zappa.websocket, even if it is a test.
        cli.use_websocket = WEBSOCKET_MODULE


def _without_role(params: dict[str, Any], **_kwargs: Any) -> None:
    """Removes the role from a rule. Zappa sets the function's role, which EventBridge cannot assume and so refuses.

    To invoke a function, a rule needs no role, only a permission of the function, which Zappa adds.
    """
    params.pop("RoleArn", None)


def _complain(step: Callable[..., Any]) -> Callable[..., Any]:
    """Turns our errors, and wrong values in the settings, into errors that Zappa prints without a traceback."""

    @functools.wraps(step)
    def run(*args: Any, **kwargs: Any) -> Any:
        import click

        try:
            return step(*args, **kwargs)
        except (ProvisioningError, ValueError) as error:
            raise click.ClickException(str(error)) from error

    return run


def _after(owner: Any, name: str, then: Callable[..., Any]) -> None:
    """Runs `then` after a step of Zappa, with the arguments of the step. The step's return value stays."""
    step = getattr(owner, name)

    @functools.wraps(step)
    def run(*args: Any, **kwargs: Any) -> Any:
        answer = step(*args, **kwargs)
        _complain(then)(*args, **kwargs)
        return answer

    setattr(owner, name, run)


def _around_status(cli: Any, stage: Stage) -> None:
    step = cli.status

    @functools.wraps(step)
    def run(return_json: bool = False) -> Any:
        import click

        if not return_json:
            answer = step()
            for title, value in stage.addresses().items():
                click.echo(f"{click.style(chr(9) + title, fg='green') + ':':<32}{value}")
            return answer
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            answer = step(return_json=True)
        click.echo(json.dumps({**json.loads(printed.getvalue()), **stage.addresses()}))
        return answer

    cli.status = run


def _around_packed_settings(cli: Any) -> None:
    """Tells the function which functions its events may name: see `ws_lambda.sources.named_functions`."""
    step = cli.get_zappa_settings_string

    @functools.wraps(step)
    def run() -> str:
        names = sorted({event["function"] for event in cli.stage_config.get("events", []) if event.get("function")})
        return f"{step()}EVENT_FUNCTIONS={names}\n"

    cli.get_zappa_settings_string = run


def _around_template(cli: Any) -> None:
    """Adds the WebSocket API and the name of the stage to `zappa template`, which omits them."""
    step = cli.zappa.create_stack_template

    @functools.wraps(step)
    def run(*args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("websocket", cli.use_websocket)
        return step(*args, **kwargs)

    cli.zappa.create_stack_template = run


def _around_urls(cli: Any, stage: Stage) -> None:
    """Corrects the URLs that Zappa shows for a custom domain, an adopted API, and an HTTP API."""
    step = cli.zappa.get_api_url

    def get_api_url(lambda_name: str, stage_name: str, apigateway_version: str = "") -> Any:
        return step(lambda_name, stage_name, apigateway_version=apigateway_version or cli.apigateway_version)

    cli.zappa.get_api_url = get_api_url
    cli.zappa.get_websocket_url = lambda *_args, **_kwargs: stage.websocket_url()


def _around_undeploy(cli: Any, stage: Stage) -> None:
    """Restores the routes of an adopted API after Zappa's confirmation, and before the stack is deleted."""
    undeploy, delete_apis = cli.undeploy, cli.zappa.undeploy_api_gateway
    meant = False

    @functools.wraps(delete_apis)
    def release_and_delete(*args: Any, **kwargs: Any) -> Any:
        nonlocal meant
        meant = True
        _complain(stage.release)()
        return delete_apis(*args, **kwargs)

    @functools.wraps(undeploy)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return undeploy(*args, **kwargs)
        finally:
            # Without the function, Zappa stops early: a former deploy or undeploy was interrupted.
            if meant and not stage.is_deployed():
                _complain(leftovers.clear_away)(cli)

    cli.zappa.undeploy_api_gateway = release_and_delete
    cli.undeploy = run


def _refuse_certify(cli: Any) -> None:
    def certify(*_args: Any, **_kwargs: Any) -> None:
        import click

        raise click.ClickException(
            '"zappa certify" supports neither WebSocket APIs nor HTTP APIs. Put the domain into '
            '"websocket_api": {"domain": {"name": ..., "certificate_arn": ...}} and run "zappa update".'
        )

    if cli.apigateway_version != "v1":
        cli.certify = certify
