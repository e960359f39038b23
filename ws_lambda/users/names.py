"""How usernames and email addresses are compared."""

import unicodedata

MAX_USERNAME_LENGTH = 150
"""In characters, as in Django's own user model; at most 600 bytes of the 2,048 of a DynamoDB key."""


def fold(name: str) -> str:
    """`name` without differences of case and of Unicode form, so that look-alikes of one user are that user.

    Case is folded after compatibility forms are resolved, and what folding leaves is composed again.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_possible(username: str) -> bool:
    """Whether a user may have that name. A login form takes anything, and DynamoDB fails on some of it."""
    try:
        username.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(username) <= MAX_USERNAME_LENGTH
