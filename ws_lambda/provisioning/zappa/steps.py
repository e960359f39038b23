"""The steps of our hooks while Zappa deploys a stage."""

import sys
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa import (
    adoption,
    c_library,
    function_settings,
    package,
    tryout,
    websocket_template,
)
from ws_lambda.provisioning.zappa.trim import PackageOptions
from ws_lambda.provisioning.zappa.websocket_block import WebSocketBlock
from ws_lambda.retrying import Retry

PARTIAL = "ReportBatchItemFailures"
FANOUT = "ws_lambda.fanout.handle"

_NEW_MAPPING = Retry(base=4.0, cap=4.0, within=60.0)
"""For some seconds after it is made, an event source mapping cannot be changed."""


class Stage:
    """A stage of `zappa_settings.json`, with Zappa's command line object."""

    def __init__(self, cli: Any) -> None:
        self.cli = cli
        self.zappa = cli.zappa
        self.config: dict[str, Any] = cli.stage_config

    # Known values

    @cached_property
    def block(self) -> WebSocketBlock:
        """The `websocket_api` block with its placeholders replaced."""
        given = self.config.get("websocket_api", {})
        return WebSocketBlock.read(function_settings.filled(given, {**self.known, **self.variables}))

    @cached_property
    def variables(self) -> dict[str, str]:
        """The function's environment: the deployed one until `prepare` sets the new one."""
        return self.deployed_environment() or {}

    @cached_property
    def known(self) -> dict[str, str]:
        """The values of placeholders."""
        session = self.zappa.boto_session
        region = str(self.zappa.aws_region or session.region_name)
        return {
            "AccountId": str(session.client("sts").get_caller_identity()["Account"]),
            "Region": region,
            "Partition": session.get_partition_for_region(region),
            "Stage": self.cli.api_stage,
            "FunctionName": self.cli.lambda_name,
        }

    @cached_property
    def apigateway(self) -> Any:
        """A boto3 client of `apigatewayv2`."""
        return self.zappa.boto_session.client("apigatewayv2", region_name=self.known["Region"])

    @cached_property
    def adopted(self) -> adoption.Adopted | None:
        """The API to adopt; None if the settings name none."""
        return adoption.look(self.apigateway, self.block.adopt) if self.block.adopt else None

    def is_deployed(self) -> bool:
        """Whether the function exists."""
        return self.deployed_environment() is not None

    def deployed_environment(self) -> dict[str, str] | None:
        """The environment of the deployed function; None if there is no function."""
        client = self.zappa.lambda_client
        try:
            found = client.get_function_configuration(FunctionName=self.cli.lambda_name)
        except client.exceptions.ResourceNotFoundException:
            return None
        return dict(found.get("Environment", {}).get("Variables", {}))

    def _resources(self) -> dict[str, tuple[str, str]]:
        """Logical id → (type, physical id) of the resources of our stack; empty if there is no stack."""
        pages = self.zappa.cf_client.get_paginator("list_stack_resources").paginate(StackName=self.cli.lambda_name)
        try:
            found = [one for page in pages for one in page["StackResourceSummaries"]]
        except self.zappa.cf_client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":  # CloudFormation's code for a missing stack
                raise
            return {}
        return {
            one["LogicalResourceId"]: (one["ResourceType"], one["PhysicalResourceId"])
            for one in found
            if one.get("PhysicalResourceId")
        }

    def api_id(self) -> str:
        """The id of the WebSocket API; empty before the first deploy."""
        return self.block.adopt or self._resources().get(websocket_template.API, ("", ""))[1]

    def websocket_url(self) -> str | None:
        """Where clients connect; None before the first deploy."""
        if self.block.domain:
            return f"wss://{self.block.domain.name}" + (
                f"/{self.block.domain.mapping}" if self.block.domain.mapping else ""
            )
        api_id = self.api_id()
        if not api_id:
            return None
        return f"wss://{api_id}.execute-api.{self.known['Region']}.amazonaws.com/{self.cli.api_stage}"

    # The steps

    def prepare(self) -> None:
        """Completes the settings. If they name no bucket, it sets a name that stays the same."""
        cli = self.cli
        if "s3_bucket" not in self.config:
            cli.s3_bucket_name = f"zappa-{cli.lambda_name}-{self.known['AccountId']}-{self.known['Region']}"[:63].strip(
                "-"
            )
        if cli.command in ("undeploy", "unschedule") and self.is_deployed():
            self._prepare_events(self.variables)
        if cli.command not in ("deploy", "update", "package", "template", "schedule"):
            return
        package.check_runtime(cli.runtime)
        self._prepare_environment()
        self._prepare_events(self.variables)
        self._prepare_role()

    def _prepare_events(self, variables: Mapping[str, str]) -> None:
        if "events" in self.config:
            filled = function_settings.filled(self.config["events"], {**self.known, **variables})
            self.cli.override_stage_config_setting("events", filled)

    def _prepare_environment(self) -> None:
        cli = self.cli
        # Zappa sets environment_variables when its own handler loads, which WebSocket events do not use.
        wanted = {
            "DJANGO_SETTINGS_MODULE": cli.django_settings,
            **cli.environment_variables,
            **cli.aws_environment_variables,
        }
        deployed = None if cli.command == "package" else self.deployed_environment()
        self.variables = function_settings.environment(wanted, deployed, self.known)
        # A copy, because Zappa adds the deployed variables to it, with our former addresses.
        cli.aws_environment_variables = dict(self.variables)
        cli.environment_variables = {}

    def _prepare_role(self) -> None:
        if not (self.cli.manage_roles and "attach_policy" in self.config):
            return
        text = Path(self.config["attach_policy"]).read_text()
        known = {**self.known, **self.variables, "WebSocketApiId": self.api_id() or "*"}
        self.zappa.attach_policy = function_settings.policy(text, known)
        self.zappa.extra_permissions = function_settings.filled(self._extra_permissions, known)

    @cached_property
    def _extra_permissions(self) -> list[dict[str, Any]]:
        """The permissions with their placeholders, which are replaced twice, like those of the policy."""
        return function_settings.without_zappas_grant(self.zappa.extra_permissions)

    def package(self, *_args: Any, **_kwargs: Any) -> None:
        """Trims and compiles the zip, and tests it. A zip that does not work is not uploaded."""
        import click

        options = PackageOptions.read(self.config.get("package", {}))
        venv = self.zappa.get_current_venv()
        site_packages = Path(venv, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
        archive = Path(self.cli.zip_path)
        click.echo(
            "Package: " + str(package.repack(archive, site_packages=site_packages, project=Path.cwd(), options=options))
        )
        runtime = package.version_of(self.cli.runtime)
        c_library.check(archive, package.version_of(options.glibc) or c_library.of_runtime(runtime))
        given = {**(self.deployed_environment() or {}), **self.variables}
        borrowed = None if options.boto3 else site_packages
        click.echo(
            "Tried out: "
            + str(tryout.try_out(archive, handler=self.cli.lambda_handler, environment=given, borrowed=borrowed))
        )

    def complete_template(self, *_args: Any, **_kwargs: Any) -> None:
        """Applies the `websocket_api` block to Zappa's template."""
        import click

        own, name = self._resources(), self.cli.api_stage
        foreign = self.adopted.foreign_routes(_route_ids(own)) if self.adopted else {}
        foreign_stage = bool(self.adopted and name in self.adopted.stages and websocket_template.STAGE not in own)
        if foreign_stage:
            click.echo(f"The stage {name} of {self.block.adopt} keeps its own limits, access log and stage variables.")
        websocket_template.complete(
            self.zappa.cf_template,
            self.block,
            name=self.cli.lambda_name,
            foreign_routes=foreign,
            foreign_stage=foreign_stage,
            present=own,
        )

    def correct_mappings(self, *_args: Any, **_kwargs: Any) -> None:
        """Switches on partial batch failures. Without them, one failed job repeats the whole batch."""
        for event in self.cli.stage_config.get("events", []):
            source = event.get("event_source", {})
            if ":sqs:" in source.get("arn", "") and source.get("partial_batch_failures", event["function"] == FANOUT):
                self._correct_mapping(source)

    def _correct_mapping(self, source: dict[str, Any]) -> None:
        client = self.zappa.lambda_client
        wanted: dict[str, Any] = {"FunctionResponseTypes": [PARTIAL]}
        if "maximum_concurrency" in source:
            wanted["ScalingConfig"] = {"MaximumConcurrency": source["maximum_concurrency"]}
        found = client.list_event_source_mappings(FunctionName=self.cli.lambda_name, EventSourceArn=source["arn"])
        if not found["EventSourceMappings"]:
            raise ProvisioningError(
                f"{source['arn']} has no event source mapping to the function. "
                "Apply serverless_config/queue.yaml first."
            )
        for mapping in found["EventSourceMappings"]:
            if all(mapping.get(key) == value for key, value in wanted.items()):
                continue
            change = partial(client.update_event_source_mapping, UUID=mapping["UUID"], **wanted)
            _NEW_MAPPING.call(change, client.exceptions.ResourceInUseException)

    def introduce(self, *_args: Any, **_kwargs: Any) -> None:
        """Sets the function's addresses, changes the routes of an adopted API, and limits the role to the API."""
        resources, name = self._resources(), self.cli.lambda_name
        if not resources:
            raise ProvisioningError(
                f"The function {name} exists without its stack: a deploy was interrupted. Run "
                f'"zappa undeploy {self.cli.api_stage}", then "zappa deploy {self.cli.api_stage}".'
            )
        if self.adopted:
            integration = resources[websocket_template.INTEGRATION][1].rpartition("/")[2]
            adoption.take_over(
                self.apigateway,
                self.adopted,
                own_ids=_route_ids(resources),
                target=f"integrations/{integration}",
                stage=self.cli.api_stage,
                answers=self.block.answering,
            )
        self._tell_addresses()
        if self.cli.manage_roles and "attach_policy" in self.config:
            self._prepare_role()
            self.zappa.create_iam_roles()

    def _tell_addresses(self) -> None:
        client, name = self.zappa.lambda_client, self.cli.lambda_name
        http = self.zappa.get_api_url(name, self.cli.api_stage) or ""
        addresses = {
            "WS_LAMBDA_GATEWAY_IDS": self.api_id(),
            "WS_LAMBDA_WEBSOCKET_URL": self.websocket_url() or "",
            "WS_LAMBDA_HTTP_HOST": self.config.get("domain") or http.removeprefix("https://").partition("/")[0],
        }
        addresses = {key: value for key, value in addresses.items() if key not in self.variables}
        deployed = self.deployed_environment() or {}
        if all(deployed.get(key) == value for key, value in addresses.items()):
            return
        self.zappa.wait_until_lambda_function_is_updated(name)
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {**deployed, **addresses}})
        self.zappa.wait_until_lambda_function_is_updated(name)
        if self.cli.apigateway_lambda_qualifier:
            # SnapStart and provisioned concurrency use published versions, whose environment cannot change.
            version = client.publish_version(FunctionName=name)["Version"]
            self.zappa.wait_until_lambda_function_version_is_active(name, version)
            client.update_alias(FunctionName=name, Name=self.cli.apigateway_lambda_qualifier, FunctionVersion=version)

    def addresses(self) -> dict[str, str]:
        """The addresses that `zappa status` does not show."""
        return {"WebSocket URL": self.websocket_url() or "None", "WebSocket API": self.api_id() or "None"}

    def release(self) -> None:
        """Restores the routes of an adopted API before our integration is deleted."""
        if self.adopted:
            adoption.give_back(self.apigateway, self.adopted, stage=self.cli.api_stage)


def _route_ids(resources: dict[str, tuple[str, str]]) -> set[str]:
    return {physical.rpartition("/")[2] for kind, physical in resources.values() if kind == "AWS::ApiGatewayV2::Route"}
