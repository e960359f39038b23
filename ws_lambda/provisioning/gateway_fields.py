"""The fields of a gateway's record, each written down once.

The form of the admin, the options of `ws_gateway`, the facts that it prints, the comparison with AWS, and the
transfer in both directions derive from `FIELDS`. A new field is one entry here, and the attribute of the row that
stores it. Importing this module fails if the attribute is missing, and a test fails if the entry is missing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ws_lambda.provisioning import field_checks
from ws_lambda.provisioning.field_checks import optional
from ws_lambda.provisioning.record_field import Area, RecordField
from ws_lambda.tables.gateways import ApiGateway, Integration, Status

_MAIN, _INTEGRATION, _ROUTING, _STAGE, _DOMAIN, _AWS = "", "Integration", "Routing", "Stage", "Custom domain", "In AWS"


def _answered(name: str, label: str, **more: Any) -> RecordField:
    """A field that AWS, or a step of ours, fills in."""
    return RecordField(name=name, label=label, section=_AWS, answered=True, **more)


FIELDS: tuple[RecordField, ...] = (
    RecordField(
        name="api_name",
        label="API name",
        section=_MAIN,
        max_length=128,
        default=None,
        check=field_checks.matches(
            r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}",
            "Start with a letter or digit, then use letters, digits, spaces and . _ -, at most 128 characters.",
        ),
    ),
    RecordField(
        name="api_description",
        label="description",
        help="What the API is for.",
        section=_MAIN,
        max_length=1024,
        multiline=True,
        option="--description",
        area=Area.API,
        aws_name="Description",
        fact="description",
    ),
    RecordField(
        name="default_channel_name",
        label="default channel",
        help="The channel of clients that name none.",
        section=_MAIN,
        max_length=128,
        option="--default-channel",
        check=optional(field_checks.channel_name),
    ),
    RecordField(
        name="integration",
        label="integration",
        help="What answers: a Lambda function, or this Django site at its public URL.",
        section=_INTEGRATION,
        max_length=10,
        default=Integration.LAMBDA.value,
        choices=((Integration.LAMBDA.value, "Lambda function"), (Integration.HTTP.value, "HTTP proxy")),
        fixed_from=Status.API_CREATED,
        area=Area.ROUTE,
    ),
    RecordField(
        name="lambda_function_arn",
        label="Lambda function ARN",
        help="Lambda proxy: the function that answers, or one of its versions or aliases.",
        section=_INTEGRATION,
        max_length=256,
        wide=True,
        option="--function",
        area=Area.ROUTE,
    ),
    RecordField(
        name="target_base_endpoint",
        label="target base endpoint",
        help="HTTP proxy: the public https URL to which connect, disconnect and default are appended, "
        "such as https://www.example.com/ws/.",
        section=_INTEGRATION,
        max_length=2048,
        wide=True,
        option="--target-base-endpoint",
        area=Area.ROUTE,
    ),
    RecordField(
        name="route_selection_expression",
        label="route selection expression",
        help="The field of a message that selects its route.",
        section=_ROUTING,
        max_length=256,
        default="$request.body.action",
        option="--route-selection-expression",
        area=Area.API,
        aws_name="RouteSelectionExpression",
        fact="route_selection_expression",
        check=field_checks.matches(
            field_checks.SELECTION, "Enter a field of the message, such as $request.body.action."
        ),
    ),
    RecordField(
        name="route_key",
        label="route key",
        help="The route of messages that select no other.",
        section=_ROUTING,
        max_length=128,
        default="$default",
        fixed_from=Status.API_CREATED,
        option="--route-key",
        area=Area.ROUTE,
        check=field_checks.matches(
            rf"\$default|{field_checks.ROUTE_KEY}", "Enter $default, or a key of letters, digits, _ . and -."
        ),
    ),
    RecordField(
        name="api_key_selection_expression",
        label="API key selection expression",
        help="Where API Gateway reads the API key.",
        section=_ROUTING,
        max_length=256,
        default="$request.header.x-api-key",
        option="--api-key-selection-expression",
        area=Area.API,
        aws_name="ApiKeySelectionExpression",
        fact="api_key_selection_expression",
        check=field_checks.one_of(*field_checks.API_KEY_SELECTIONS),
    ),
    RecordField(
        name="stage_name",
        label="stage name",
        help="The last part of the generated address.",
        section=_STAGE,
        max_length=128,
        default="production",
        fixed_from=Status.API_CREATED,
        option="--stage",
        area=Area.STAGE,
        aws_name="StageName",
        fact="name",
        check=field_checks.matches(
            r"[A-Za-z0-9_-]{1,128}", "Use only letters, digits, _ and -, at most 128 characters."
        ),
    ),
    RecordField(
        name="stage_description",
        label="stage description",
        help="What the stage is for.",
        section=_STAGE,
        max_length=1024,
        multiline=True,
        option="--stage-description",
        area=Area.STAGE,
        aws_name="Description",
        fact="description",
    ),
    RecordField(
        name="throttling_rate",
        label="throttling rate",
        help="Requests per second that the stage accepts. Empty: the account's quota.",
        section=_STAGE,
        kind=float,
        default=None,
        option="--throttling-rate",
        area=Area.STAGE,
        aws_name="DefaultRouteSettings.ThrottlingRateLimit",
        fact="throttling_rate",
        check=field_checks.above_zero,
    ),
    RecordField(
        name="throttling_burst",
        label="throttling burst",
        help="Requests that the stage accepts at once. Empty: the account's quota.",
        section=_STAGE,
        kind=int,
        default=None,
        option="--throttling-burst",
        area=Area.STAGE,
        aws_name="DefaultRouteSettings.ThrottlingBurstLimit",
        fact="throttling_burst",
        check=field_checks.above_zero,
    ),
    RecordField(
        name="access_log_arn",
        label="access log ARN",
        help="The CloudWatch log group or Firehose stream of the stage's access log.",
        section=_STAGE,
        max_length=512,
        wide=True,
        option="--access-log",
        area=Area.STAGE,
        aws_name="AccessLogSettings.DestinationArn",
        fact="access_log_arn",
        # API Gateway wants the group itself; the console and CloudFormation show its ARN with ":*".
        to_aws=lambda arn: arn.removesuffix(":*"),
        check=optional(
            field_checks.matches(
                field_checks.LOG_ARN, "Enter the ARN of a CloudWatch log group or of a Firehose stream."
            )
        ),
    ),
    RecordField(
        name="tags",
        label="tags",
        help="Tags of the API and of its custom domain.",
        section=_STAGE,
        kind=dict,
        default={},
        option="--tag",
        area=Area.TAGS,
        check=field_checks.tags,
    ),
    RecordField(
        name="domain_name",
        label="custom domain",
        help="The host name that clients connect to, such as ws.example.com.",
        section=_DOMAIN,
        max_length=253,
        fixed_from=Status.DOMAIN_CREATED,
        option="--domain",
        area=Area.DOMAIN,
        check=optional(
            field_checks.matches(field_checks.DOMAIN_NAME, "Enter a host name in lower case, such as ws.example.com.")
        ),
    ),
    RecordField(
        name="certificate_arn",
        label="certificate ARN",
        help="The domain's ACM certificate, in the region of the API.",
        section=_DOMAIN,
        max_length=256,
        wide=True,
        option="--certificate",
        area=Area.DOMAIN,
        aws_name="CertificateArn",
        fact="certificate",
        check=optional(field_checks.certificate),
    ),
    RecordField(
        name="hosted_zone_id",
        label="hosted zone id",
        help="The Route 53 zone that gets the DNS alias. Empty: you make the DNS record yourself.",
        section=_DOMAIN,
        max_length=32,
        option="--hosted-zone",
        check=optional(
            field_checks.matches(
                r"[A-Z0-9]{1,32}",
                "Enter the id of a Route 53 hosted zone: capital letters and digits, without /hostedzone/.",
            )
        ),
    ),
    RecordField(name="additional_routes", label="additional routes", kind=list, default=[], area=Area.ROUTE),
    _answered(
        "status",
        "status",
        max_length=20,
        default=Status.PENDING.value,
        choices=tuple((status.value, status.value.replace("_", " ")) for status in Status),
    ),
    _answered("last_error", "last error", multiline=True),
    _answered("api_id", "API id", max_length=64, default=None, area=Area.API, aws_name="ApiId"),
    _answered("api_endpoint", "API endpoint", max_length=256, area=Area.API, aws_name="ApiEndpoint"),
    _answered("deployment_id", "deployment id", max_length=64, area=Area.STAGE, aws_name="DeploymentId"),
    _answered(
        "api_gateway_domain_name",
        "API Gateway domain name",
        help="What the DNS record of the custom domain must point to.",
        max_length=256,
        area=Area.DOMAIN,
        aws_name="ApiGatewayDomainName",
    ),
    _answered("api_mapping_id", "API mapping id", max_length=64, area=Area.DOMAIN, aws_name="ApiMappingId"),
    _answered(
        "adopted",
        "adopted",
        help="Whether something else, such as zappa deploy, made the API.",
        kind=bool,
        default=False,
    ),
    RecordField(name="created_at", label="created at", kind=datetime, default=None, answered=True),
)
"""In the order in which people read them."""


def demand_attributes(fields: Iterable[RecordField]) -> None:
    """Raises TypeError if the row has no attribute for a field."""
    if missing := [field.name for field in fields if field.name not in ApiGateway.get_attributes()]:
        file = "ws_lambda/tables/gateways.py"
        raise TypeError(f"FIELDS has {', '.join(missing)}: add the attribute of that name to ApiGateway in {file}.")


demand_attributes(FIELDS)
