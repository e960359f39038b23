"""Sets of names in forms: shown as lines, read from lines or commas."""

import pytest
from django import forms

from ws_lambda.users.fields import to_names, to_text
from ws_lambda.users.models import User


class NamesForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["group_names", "permission_names"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a\nb", {"a", "b"}),
        ("a, b,,", {"a", "b"}),
        ("a\r\nSite editors\r\n", {"a", "Site editors"}),
        ("", set()),
        (None, set()),
        (["a", " b "], {"a", "b"}),
    ],
)
def test_names_are_read(text: str | list[str] | None, names: set[str]) -> None:
    assert to_names(text) == names
    assert to_names(to_text(names)) == names


def test_a_form_shows_and_saves_names() -> None:
    user = User.objects.create_user("red", group_names={"b", "a"})
    assert ">\na\nb</textarea>" in str(NamesForm(instance=user)["group_names"])
    form = NamesForm({"group_names": "c\nSite editors", "permission_names": "chat.speak"}, instance=user)
    assert form.is_valid(), form.errors
    form.save()
    stored = User.objects.get(pk="red")
    assert (stored.group_names, stored.permission_names) == ({"c", "Site editors"}, {"chat.speak"})


def test_a_form_knows_what_changed_whatever_the_order() -> None:
    user = User(username="red", group_names={"a", "b"})
    assert NamesForm({"group_names": "b, a", "permission_names": ""}, instance=user).changed_data == []
    assert NamesForm({"group_names": "b", "permission_names": ""}, instance=user).changed_data == ["group_names"]


def test_a_form_refuses_an_unknown_permission_and_shows_it_again() -> None:
    form = NamesForm({"group_names": "", "permission_names": "nonsense"}, instance=User(username="red"))
    assert "app_label.codename" in form.errors["permission_names"][0]
    assert "nonsense</textarea>" in str(form["permission_names"])
