"""Which files of a package are removed, and which stay."""

import pytest

from tests.unit.provisioning.zappa.conftest import Environment
from ws_lambda.provisioning.zappa.trim import PackageOptions, Sources, Trim


def kept(environment: Environment, options: PackageOptions | None = None) -> set[str]:
    files = {name: text.encode() for name, text in environment.entries.items()}
    own = {name for name in files if (environment.project / name).is_file()}
    trim = Trim.plan(environment.site_packages, Sources.read(files, own), options or PackageOptions())
    return {name for name in files if not trim.drops(name)}


def tops(names: set[str]) -> set[str]:
    return {name.partition("/")[0] for name in names}


def test_zappas_command_line_goes_and_its_handler_stays(environment: Environment) -> None:
    left = kept(environment)
    assert tops(left) == {"app", "zappa", "werkzeug", "markupsafe", "library", "helper.py"}
    assert "zappa/handler.py" in left
    assert "zappa/cli.py" not in left


def test_imports_of_the_project_stay_whichever_package_brought_them(environment: Environment) -> None:
    environment.write("app/views.py", "def view():\n    import yaml\n    return yaml\n")
    assert "yaml" in tops(kept(environment))


def test_distributions_named_in_keep_are_kept(environment: Environment) -> None:
    assert "yaml" in tops(kept(environment, PackageOptions(keep=("pyyaml",))))


def test_without_install_records_every_unneeded_distribution_is_a_root(environment: Environment) -> None:
    for note in environment.site_packages.glob("*/REQUESTED"):
        note.unlink()
    assert tops(kept(environment)) == {"app", "zappa", "werkzeug", "markupsafe", "library", "helper.py"}


def test_extras_that_were_not_asked_for_do_not_count(environment: Environment) -> None:
    environment.install("big", {"big.py": ""})
    environment.install("owner", {"owner.py": ""}, requires=['big; extra == "all"'], asked_for=True)
    assert "big.py" not in kept(environment)
    environment.install("user", {"user.py": ""}, requires=["owner[all]"], asked_for=True)
    assert "big.py" in kept(environment)


def test_a_file_of_two_distributions_stays_with_the_one_that_stays(environment: Environment) -> None:
    environment.install("other-yaml", {"yaml/__init__.py": ""}, asked_for=True)
    assert "yaml/__init__.py" in kept(environment)


@pytest.mark.parametrize(
    ("source", "services"),
    [
        ("", {"dynamodb"}),
        ('boto3.client("s3")', {"dynamodb", "s3"}),
        ("session.resource( 'ses' )", {"dynamodb", "ses"}),
        ("from aws_lambda_powertools.utilities.parameters import get_secret", {"dynamodb", "secretsmanager"}),
    ],
)
def test_service_models_follow_what_sources_name(environment: Environment, source: str, services: set[str]) -> None:
    everything = ("dynamodb", "ec2", "s3", "secretsmanager", "ses")
    models = {f"botocore/data/{name}/2012-08-10/service-2.json.gz": "" for name in everything}
    environment.install("botocore", {"botocore/__init__.py": "", "botocore/data/endpoints.json": "", **models})
    environment.install("boto3", {"boto3/__init__.py": ""}, requires=["botocore"])
    environment.write("app/aws.py", source)
    left = kept(environment)
    assert {
        name.split("/")[2] for name in left if name.startswith("botocore/data/") and name.count("/") == 4
    } == services
    assert "botocore/data/endpoints.json" in left


def test_boto3_can_be_left_to_lambda(environment: Environment) -> None:
    environment.install("botocore", {"botocore/__init__.py": ""})
    environment.install("boto3", {"boto3/__init__.py": ""}, requires=["botocore"])
    assert {"boto3", "botocore"} <= tops(kept(environment))
    assert not {"boto3", "botocore"} & tops(kept(environment, PackageOptions(boto3=False)))


LOCALES = {f"django/contrib/auth/locale/{code}/LC_MESSAGES/django.mo": "" for code in ("de", "en", "pt_BR", "zh_Hans")}


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ("LANGUAGE_CODE = 'en-us'\n", {"en"}),
        ("LANGUAGE_CODE = 'pt-br'\n", {"en", "pt_BR"}),
        ("LANGUAGE_CODE = 'zh-hans'\n", {"en", "zh_Hans"}),
        ("LANGUAGE_CODE = os.environ['LANG']\n", {"de", "en", "pt_BR", "zh_Hans"}),
        (
            "LANGUAGE_CODE = 'de'\nMIDDLEWARE = ['django.middleware.locale.LocaleMiddleware']\n",
            {"de", "en", "pt_BR", "zh_Hans"},
        ),
    ],
)
def test_translations_follow_the_settings(environment: Environment, settings: str, codes: set[str]) -> None:
    environment.install("Django", {"django/__init__.py": "", **LOCALES}, asked_for=True)
    environment.write("app/settings.py", settings)
    assert {name.split("/")[4] for name in kept(environment) if "/locale/" in name} == codes


def test_optional_parts_stay_when_named(environment: Environment) -> None:
    parts = {"django/contrib/gis/apps.py": "", "django/contrib/admin/static/admin/a.css": ""}
    environment.install("Django", {"django/__init__.py": "", **parts}, asked_for=True)
    assert not set(parts) & kept(environment)
    environment.write("app/settings.py", "INSTALLED_APPS = ['django.contrib.admin']\n")
    assert set(parts) & kept(environment) == {"django/contrib/admin/static/admin/a.css"}


def test_a_wrong_option_is_named() -> None:
    with pytest.raises(ValueError, match=r"has no kep\. It knows aws_services"):
        PackageOptions.read({"kep": ["x"]})
