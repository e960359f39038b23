"""The table of fields followed to AWS and back: each field by itself, and a field that was added a moment ago."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flows.provisioning.conftest import CERTIFICATE
from ws_lambda import aws
from ws_lambda.provisioning import adopt, create, gateway_fields, sync
from ws_lambda.provisioning.record_field import Area, RecordField
from ws_lambda.tables.gateways import ApiGateway

TRANSFERRED = [field for field in gateway_fields.FIELDS if field.fact and field.is_pulled]
OTHERS = {
    "route_selection_expression": "$request.body.kind",
    "api_key_selection_expression": "$context.authorizer.usageIdentifierKey",
    "access_log_arn": "arn:aws:logs:eu-west-1:123456789012:log-group:other",
    "certificate_arn": CERTIFICATE.replace("1111", "2222"),
}


def other(field: RecordField) -> Any:
    """A value that the gateway of these tests does not have."""
    return OTHERS.get(field.name, 77 if field.is_number else "Other words")


def in_aws(record: ApiGateway) -> dict[Area | None, dict[str, Any]]:
    client = aws.client("apigatewayv2")
    return {
        Area.API: client.get_api(ApiId=record.api_id),
        Area.STAGE: client.get_stage(ApiId=record.api_id, StageName=record.stage_name),
        Area.DOMAIN: client.get_domain_name(DomainName=record.domain_name)["DomainNameConfigurations"][0],
    }


@pytest.mark.parametrize("field", TRANSFERRED, ids=lambda field: field.name)
def test_a_field_reaches_aws_and_comes_back(named: ApiGateway, field: RecordField) -> None:
    before = getattr(named, field.name)
    assert before != other(field)
    create.create("chat")
    create.create_domain("chat")
    assert sync.differences(ApiGateway.get("chat")) == []

    record = ApiGateway.get("chat")
    setattr(record, field.name, other(field))
    record.save()
    assert [one.name for one in sync.to_aws("chat")] == [f"{field.area}.{field.fact}"]
    assert field.look_up(in_aws(record)[field.area]) == other(field)

    record = ApiGateway.get("chat")
    setattr(record, field.name, before)
    record.save()
    taken, left = sync.from_aws("chat")
    assert ([one.name for one in taken], left) == ([f"{field.area}.{field.fact}"], [])
    assert getattr(ApiGateway.get("chat"), field.name) == other(field)


def test_an_adopted_record_has_every_field_that_aws_holds(named: ApiGateway) -> None:
    made = create.create("chat")
    made.delete()
    found = adopt.adopt("again", str(made.api_id))
    for field in gateway_fields.FIELDS:
        if field.area in (Area.API, Area.STAGE) and field.aws_name:
            assert getattr(found, field.name) == field.to_aws(getattr(made, field.name)), field.name


NEW_FIELD = """
from pynamodb.attributes import UnicodeAttribute
from ws_lambda.tables.gateways import ApiGateway

# The attribute of the row ...
ApiGateway.log_level = UnicodeAttribute(default="")
ApiGateway.log_level.__set_name__(ApiGateway, "log_level")
type(ApiGateway)._initialize_attributes(ApiGateway, None)

# ... and the entry in the table: nothing else.
from ws_lambda.provisioning import field_checks, gateway_fields
from ws_lambda.provisioning.record_field import Area, RecordField

gateway_fields.FIELDS += (
    RecordField(
        name="log_level", label="log level", help="What is logged of each event.", section="Stage", max_length=5,
        option="--log-level", area=Area.STAGE, aws_name="DefaultRouteSettings.LoggingLevel", fact="log_level",
        check=field_checks.optional(field_checks.one_of("OFF", "ERROR", "INFO")),
    ),
)
import django
django.setup()
import io, json
from django.core.management import CommandError, call_command
from django.contrib import admin
from moto import mock_aws
from tests import moto_apigateway
from tests.flows.provisioning.conftest import make_function
from ws_lambda import aws
from ws_lambda.admin import models as admin_models
from ws_lambda.admin.gateway_forms import GatewayForm
from ws_lambda.admin.gateways import ApiGatewayAdmin
from ws_lambda.provisioning import sync
import pytest

def run(*words):
    out = io.StringIO()
    call_command("ws_gateway", *words, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())

with mock_aws(), pytest.MonkeyPatch.context() as patch:
    moto_apigateway.install(patch)
    ApiGateway.create_table(billing_mode="PAY_PER_REQUEST")
    page = ApiGatewayAdmin(admin_models.ApiGateway, admin.site)
    form = page.get_form(None, None, fields=("api_name", "log_level"))()
    assert (form.fields["log_level"].label, form.fields["log_level"].help_text) == (
        "Log level", "What is logged of each event."), "the form"
    try:
        run("create", "chat", "--function", "x", "--log-level", "LOUD")
    except CommandError as error:
        assert "log_level: Enter OFF or ERROR or INFO" in str(error), "the check"
    made = run("create", "chat", "--function", make_function("chat"), "--log-level", "ERROR")
    assert made["log_level"] == "ERROR", "the option, and what the command prints"
    client = aws.client("apigatewayv2")
    where = {"ApiId": made["api_id"], "StageName": "production"}
    assert client.get_stage(**where)["DefaultRouteSettings"]["LoggingLevel"] == "ERROR", "pushed when made"
    run("update", "chat", "--log-level", "OFF")
    assert client.get_stage(**where)["DefaultRouteSettings"]["LoggingLevel"] == "OFF", "pushed when changed"
    client.update_stage(**where, DefaultRouteSettings={"LoggingLevel": "INFO"})
    assert run("sync", "chat")["differences"] == [{"name": "stage.log_level", "record": "OFF", "aws": "INFO"}]
    run("sync", "chat", "--from-aws")
    assert ApiGateway.get("chat").log_level == "INFO", "pulled"
print("done")
"""


def test_a_new_field_is_one_entry_and_its_attribute() -> None:
    """In a process of its own: the admin reads the table when it is imported."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_"))}
    env |= {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    done = subprocess.run(
        [sys.executable, "-c", NEW_FIELD], cwd=Path(__file__).parents[3], env=env, capture_output=True, text=True
    )
    assert done.stdout.endswith("done\n"), done.stderr
