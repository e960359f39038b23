"""Explains an error of AWS in one line, with what to do about it."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from pynamodb.exceptions import PynamoDBException, VerboseClientError

from ws_lambda import aws
from ws_lambda.conf import conf
from ws_lambda.provisioning import answers

ERRORS = (BotoCoreError, ClientError, PynamoDBException)
"""The base classes of the errors of botocore and PynamoDB."""

_BAD_CREDENTIALS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)


def explained(error: Exception) -> str:
    """A sentence about the error, followed by advice if there is any."""
    if isinstance(error, PynamoDBException):
        error = error.cause or error
    if isinstance(error, VerboseClientError) and answers.missing(error):
        return missing_table()  # VerboseClientError is PynamoDB's class, so this is DynamoDB
    return f"{str(error).strip().rstrip('.')}. {advice(error)}".strip()


def missing_table() -> str:
    """The sentence for a DynamoDB table that does not exist."""
    lacks = (
        f"A table of this project does not exist in DynamoDB in {aws.region()} (TABLE_PREFIX is {conf.TABLE_PREFIX!r})."
    )
    return f"{lacks} {aws.NO_TABLE_ADVICE}"


def advice(error: Exception) -> str:
    """What to do about an error; "" if there is no advice."""
    match error:
        case NoRegionError():
            return "Set AWS_REGION, or AWS_PROFILE to a profile that has a region."
        case NoCredentialsError():
            return "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        case ProfileNotFound():
            return "Use `aws configure list-profiles` to see the profiles."
        case ConnectionError() | HTTPClientError():
            return "Check the network, AWS_REGION, and any AWS_ENDPOINT_URL_… that is set."
        case ClientError() if answers.code(error) in _BAD_CREDENTIALS:
            return "The credentials have expired or are wrong. Renew them, or check AWS_PROFILE."
        case ClientError() if answers.code(error).startswith("AccessDenied"):
            return "serverless_config/iam/deploy.json lists the permissions that are needed."
    return ""
