"""The credentials to sign with, from botocore's provider chain. Signers look them up every second."""

from typing import NamedTuple

from botocore.exceptions import NoCredentialsError

from ws_lambda import aws


class Identity(NamedTuple):
    """What SigV4 needs of the caller's credentials."""

    access_key: str
    secret_key: str
    token: str
    """The session token, or ""."""


def current() -> Identity:
    """The credentials to sign with now. botocore renews temporary ones 15 minutes before they expire.

    Raises:
        botocore.exceptions.NoCredentialsError: the provider chain has none.
    """
    credentials = aws.session().get_credentials()
    if credentials is None:
        raise NoCredentialsError()
    frozen = credentials.get_frozen_credentials()
    return Identity(frozen.access_key or "", frozen.secret_key or "", frozen.token or "")
