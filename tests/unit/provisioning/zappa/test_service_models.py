"""botocore's data gets smaller, and says the same."""

import gzip
import json
from pathlib import Path

import botocore
import botocore.session
import pytest

from ws_lambda.provisioning.zappa import service_models

DATA = Path(botocore.__file__).parent / "data"
KEPT = ("dynamodb", "sqs", "apigatewaymanagementapi")


@pytest.fixture
def files() -> dict[str, bytes]:
    paths = [DATA / "endpoints.json", *(path for name in KEPT for path in (DATA / name).glob("*/service-2.json.gz"))]
    return {f"botocore/data/{path.relative_to(DATA).as_posix()}": path.read_bytes() for path in paths}


def test_documentation_goes_and_nothing_else_changes(files: dict[str, bytes]) -> None:
    smaller = service_models.reduced(files, KEPT)
    (path,) = [path for path in files if "/dynamodb/2012" in path]
    before, after = (json.loads(gzip.decompress(given[path])) for given in (files, smaller))
    assert len(smaller[path]) < len(files[path]) / 2
    assert list(after["operations"]) == list(before["operations"])
    assert list(after["shapes"]) == list(before["shapes"])
    assert "documentation" not in after["operations"]["PutItem"]


def test_a_member_that_is_called_documentation_stays() -> None:
    model = {"metadata": {}, "documentation": "text", "shapes": {"A": {"members": {"documentation": {"shape": "B"}}}}}
    path = "botocore/data/x/2020-01-01/service-2.json"
    found = json.loads(service_models.reduced({path: json.dumps(model).encode()}, ())[path])
    assert found == {"metadata": {}, "shapes": {"A": {"members": {"documentation": {"shape": "B"}}}}}


def test_endpoints_are_those_of_the_services_that_stay(files: dict[str, bytes]) -> None:
    document = json.loads(service_models.reduced(files, KEPT)[service_models.ENDPOINTS])
    assert {name for one in document["partitions"] for name in one["services"]} == {"dynamodb", "sqs"}


def test_a_client_works_with_what_is_left(files: dict[str, bytes], tmp_path: Path) -> None:
    for path in DATA.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for name in KEPT:
        for path in (DATA / name).glob("*/endpoint-rule-set-1.json.gz"):
            target = tmp_path / path.relative_to(DATA)
            target.parent.mkdir(parents=True)
            target.write_bytes(path.read_bytes())
    for name, data in service_models.reduced(files, KEPT).items():
        (tmp_path / name.removeprefix("botocore/data/")).write_bytes(data)
    session = botocore.session.Session()
    session.get_component("data_loader")._search_paths[:] = [str(tmp_path)]
    client = session.create_client(
        "dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    assert client.meta.endpoint_url == "https://dynamodb.eu-west-1.amazonaws.com"
    assert client.meta.service_model.operation_model("UpdateItem").input_shape.members["Key"].type_name == "map"
