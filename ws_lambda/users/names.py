"""How usernames and email addresses are compared."""

import unicodedata

MAX_USERNAME_LENGTH = 150
"""In characters, as in Django's own user model; at most 600 bytes of the 2,048 of a DynamoDB key."""


def fold(name: str) -> str:
    """Removes differences of case and Unicode form, so that names that look alike belong to one user.

    It normalises to NFKC, folds case, and normalises again, because folding can leave decomposed characters.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_possible(username: str) -> bool:
    """Whether a user can have that name. A login form accepts any text, and DynamoDB fails on some of it."""
    try:
        username.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(username) <= MAX_USERNAME_LENGTH
