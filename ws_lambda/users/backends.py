"""The authentication backend of users in DynamoDB."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_permission_codename, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Model

from ws_lambda.conf import conf
from ws_lambda.users import storing
from ws_lambda.users.names import fold


def group_permissions(names: Any) -> set[str]:
    """The permissions of groups. A group that is not in GROUP_PERMISSIONS has none."""
    return {permission for name in names for permission in conf.GROUP_PERMISSIONS.get(name, ())}


def _known_permissions() -> Iterator[str]:
    """Every permission of the project's models and groups, which Django would keep in a table."""
    for model in apps.get_models():
        options = model._meta
        for action in options.default_permissions:
            yield f"{options.app_label}.{get_permission_codename(action, options)}"
        for codename, _name in options.permissions:
            yield f"{options.app_label}.{codename}"
    yield from group_permissions(conf.GROUP_PERMISSIONS)


class DynamoDBBackend(ModelBackend):
    """Django's own backend, with permissions from the user and the settings instead of SQL.

    A user costs one consistent read, and their permissions cost no other. A wrong name takes as long as a wrong
    password. Only the async methods that read a user need a thread.
    """

    def get_users(self, user_ids: Iterable[str]) -> list[Any]:
        """Reads several users who may log in, with eventual consistency: a request for a hundred, at half price."""
        found = storing.fetch_many(get_user_model(), map(fold, user_ids), consistently=False)
        return [user for user in found if self.user_can_authenticate(user)]

    def get_user_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """The user's own permissions, as `app_label.codename`. A superuser has all permissions."""
        if not user_obj.is_active or obj is not None:
            return set()
        own = set(user_obj.permission_names)
        return own.union(_known_permissions()) if user_obj.is_superuser else own

    def get_group_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """The permissions of the user's groups. A superuser has all permissions."""
        if not user_obj.is_active or obj is not None:
            return set()
        return set(_known_permissions()) if user_obj.is_superuser else group_permissions(user_obj.group_names)

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """The user's own permissions and those of their groups. They are not cached, because they cost nothing."""
        return self.get_user_permissions(user_obj, obj) | self.get_group_permissions(user_obj, obj)

    async def aget_user_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return self.get_user_permissions(user_obj, obj)

    async def aget_group_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return self.get_group_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether the user has any permission of that app."""
        return any(name.startswith(f"{app_label}.") for name in self.get_all_permissions(user_obj))

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return self.has_module_perms(user_obj, app_label)

    def with_perm(  # type: ignore[override] # a list, where Django has a queryset
        self,
        perm: Any,
        is_active: bool | None = True,
        include_superusers: bool = True,
        obj: Model | None = None,
    ) -> list[Any]:
        """The users who have a permission, by reading all users.

        Raises:
            ValueError: `perm` does not have the form `app_label.codename`.
        """
        if not isinstance(perm, str) or perm.count(".") != 1:
            raise ValueError("A permission must have the form app_label.codename.")
        if obj is not None:
            return []
        flags = {} if is_active is None else {"is_active": is_active}
        users: Any = get_user_model()._default_manager.filter(**flags)
        return [
            user
            for user in users
            if perm in user.permission_names
            or perm in group_permissions(user.group_names)
            or (include_superusers and user.is_superuser)
        ]
