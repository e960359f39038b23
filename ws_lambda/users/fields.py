"""A model field and a form field for a set of names."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

_SEPARATOR = re.compile(r"[,\n]")


def to_names(value: str | Iterable[str] | None) -> set[str]:
    """A set of names, from a collection or from text with names on lines or between commas."""
    parts = _SEPARATOR.split(value) if isinstance(value, str) else value or ()
    return {name for part in parts if (name := part.strip())}


def to_text(names: Iterable[str]) -> str:
    """The sorted names, one on each line."""
    return "\n".join(sorted(names))


def validate_permissions(names: Iterable[str]) -> None:
    """Refuses names that cannot be permissions."""
    for name in names:
        app_label, dot, codename = name.partition(".")
        if not (app_label and dot and codename):
            raise ValidationError(f"{name!r} does not have the form app_label.codename.")


class NamesFormField(forms.CharField):
    """Edits a set of names as lines of text."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else to_text(value or ())

    def to_python(self, value: Any) -> Any:
        return to_names(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return to_names(initial) != to_names(data)


if TYPE_CHECKING:
    _Field = models.Field[set[str], set[str]]
else:
    _Field = models.Field


class NamesField(_Field):
    """A set of strings, stored in DynamoDB as a string set."""

    description = "Set of names"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": set, "blank": True, **kwargs})

    def to_python(self, value: Any) -> set[str]:
        return to_names(value)

    def value_to_string(self, obj: models.Model) -> str:
        return to_text(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> Any:
        # With a callable default Django would compare with a hidden copy of the value.
        return super().formfield(**{"form_class": NamesFormField, "show_hidden_initial": False, **kwargs})
