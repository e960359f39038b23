"""The browser client's modules, as a project collects and serves them."""

import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

STATIC = Path(__file__).parents[2] / "ws_lambda/static/ws_lambda"
IMPORT = re.compile(r"""^(?:import|export)\b[^;"']*?\bfrom "([^"]+)";""", re.MULTILINE)


class HashedModules(ManifestStaticFilesStorage):
    """As docs/client.md has it."""

    support_js_module_import_aggregation = True


@pytest.mark.parametrize("module", sorted(STATIC.rglob("*.js")), ids=lambda path: path.name)
def test_every_import_is_relative_and_there(module: Path) -> None:
    for name in IMPORT.findall(module.read_text()):
        assert name.startswith((".", "..")), name
        assert (module.parent / name).exists(), name


def test_with_hashed_names_a_module_imports_the_files_that_it_was_collected_with(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.STATIC_ROOT, settings.DEBUG = str(tmp_path), False
    storage = HashedModules(location=str(tmp_path), base_url="/static/")
    finder = AppDirectoriesFinder(app_names=["ws_lambda"])
    paths = {path: (finder_storage, path) for path, finder_storage in finder.list([])}
    for path, (source, name) in paths.items():
        with source.open(name) as file:
            storage.save(path, file)
    outcomes = list(storage.post_process(paths))
    assert [found for _name, _hashed, found in outcomes if isinstance(found, Exception)] == []
    client = (tmp_path / storage.stored_name("ws_lambda/client.js")).read_text()
    imports = IMPORT.findall(client)
    assert len(imports) == len(IMPORT.findall((STATIC / "client.js").read_text())) > 5
    for name in imports:
        assert re.search(r"\.[0-9a-f]{12}\.js$", name), name
        assert (tmp_path / "ws_lambda" / name).exists()
