"""The structure of the package, as far as import-linter cannot see it."""

import ast
from pathlib import Path

import ws_lambda

PACKAGE = Path(ws_lambda.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def test_no_class_gets_an_attribute_from_another_file():
    """Such as `WebSocketSession.objects = …`: whoever reads the class would not know."""
    for path in FILES:
        tree = ast.parse(path.read_text())
        imported = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    assert not (target.value.id in imported and target.value.id[0].isupper()), (path, target.lineno)


def test_no_object_gets_an_attribute_behind_its_back():
    """Such as `session.__dict__["user"] = …`."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute):
                    assert target.value.attr != "__dict__", (path, target.lineno)
