"""Users of the test run, kept in a dict. Only the auth backend knows where a project's users are."""

from django.contrib.auth.models import User

people: dict[str, User] = {}
permissions: dict[str, set[str]] = {}


def add(pk: str, *, granted: set[str] = frozenset(), **fields) -> User:
    """A user with a password, known to the backend from now on."""
    user = User(pk=int(pk), username=f"user{pk}", **fields)
    user.set_password(f"secret{pk}")
    people[pk] = user
    permissions[pk] = set(granted)
    return user


class DictBackend:
    """Finds users in `people`, and counts how often it is asked."""

    reads = 0

    def get_user(self, user_id):
        type(self).reads += 1
        return people.get(str(user_id))

    def authenticate(self, request, username=None, password=None):
        return next((u for u in people.values() if u.username == username and u.check_password(password)), None)

    def has_perm(self, user, name, obj=None):
        return name in permissions.get(str(user.pk), ())


PATH = f"{__name__}.{DictBackend.__name__}"
