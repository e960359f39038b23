"""The user model. It behaves like Django's own, but is stored in DynamoDB."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth import models as auth
from django.db import IntegrityError, models
from django.db.models.signals import post_delete, pre_delete
from django.utils.translation import gettext_lazy as _

from ws_lambda.users import storing
from ws_lambda.users.fields import NamesField, validate_permissions
from ws_lambda.users.names import MAX_USERNAME_LENGTH, fold
from ws_lambda.users.queryset import UserQuerySet


class UserManager(auth.UserManager["User"]):
    """Django's own manager (`create_user`, `create_superuser` and their async versions) for DynamoDB."""

    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet["User"]:  # type: ignore[override] # it supports less, on purpose
        return UserQuerySet(self.model)


class User(auth.AbstractUser):
    """A user in DynamoDB. The primary key is `username`.

    A new instance is saved only if its name is free, an instance that was read only if the user still exists. Signals
    are sent like Django sends them. A username cannot be changed.
    """

    username = models.CharField(
        _("username"),
        max_length=MAX_USERNAME_LENGTH,
        primary_key=True,
        help_text=_("Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only."),
        validators=[auth.AbstractUser.username_validator],
        error_messages={"unique": _("A user with that username already exists.")},
    )
    """Folded: `Red` and `red` are one user."""

    # None removes an inherited field; these two are SQL relations.
    groups = None  # type: ignore[assignment]
    user_permissions = None  # type: ignore[assignment]

    group_names = NamesField(_("groups"), help_text=_("Keys of the setting GROUP_PERMISSIONS."))
    """The groups of the user. The user has their permissions too."""

    permission_names = NamesField(
        _("permissions"), validators=[validate_permissions], help_text=_("As app_label.codename.")
    )
    """The user's own permissions."""

    objects: ClassVar[UserManager] = UserManager()

    class Meta(auth.AbstractUser.Meta):
        managed = False
        base_manager_name = "objects"

    @classmethod
    def normalize_username(cls, username: Any) -> Any:
        """The stored form of a name."""
        return fold(username) if isinstance(username, str) else username

    def _save_table(
        self,
        raw: bool = False,
        cls: Any = None,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> bool:
        """Replaces the step of Django's `save()` that uses SQL. The checks and signals are Django's own.

        Returns:
            Whether the user existed before.

        Raises:
            IntegrityError: the user is new, and the name is taken.
            DatabaseError: the user was read, and has been deleted since.
        """
        self.username = self.normalize_username(self.username)
        others = [field.attname for field in self._meta.concrete_fields if not field.primary_key]
        if force_update or update_fields or not (force_insert or raw or self._state.adding):
            storing.update(self, update_fields or others)
            return True
        try:
            storing.insert(self)
        except IntegrityError:
            if not raw:  # a fixture overwrites an existing user
                raise
            storing.update(self, others)
            return True
        return False

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Deletes the user. SQL rows that refer to the user are not deleted."""
        sender = type(self)
        pre_delete.send(sender=sender, instance=self, using=using, origin=self)
        deleted = int(storing.delete(self))
        post_delete.send(sender=sender, instance=self, using=using, origin=self)
        self._state.adding = True
        return deleted, {self._meta.label: deleted}

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Reads the user again.

        Raises:
            User.DoesNotExist: the user has been deleted.
        """
        fresh = (from_queryset or type(self).objects).get(pk=self.pk)
        for name in fields or [field.attname for field in self._meta.concrete_fields]:
            setattr(self, name, getattr(fresh, name))
