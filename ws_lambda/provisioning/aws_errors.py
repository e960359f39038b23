"""What an error of AWS means to the person at the keyboard: one line, with what to do."""

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
"""What botocore and PynamoDB raise."""

_BAD_CREDENTIALS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)


def explained(error: Exception) -> str:
    """A sentence about the error, and, where one is known, another about what to do."""
    if isinstance(error, PynamoDBException):
        error = error.cause or error
    if isinstance(error, VerboseClientError) and answers.missing(error):
        return missing_table()  # only DynamoDB's errors are of PynamoDB's class
    return f"{str(error).strip().rstrip('.')}. {advice(error)}".strip()


def missing_table() -> str:
    """What to say where DynamoDB does not know a table."""
    lacks = f"DynamoDB in {aws.region()} lacks a table of this project (TABLE_PREFIX is {conf.TABLE_PREFIX!r})."
    return f"{lacks} {aws.NO_TABLE_ADVICE}"


def advice(error: Exception) -> str:
    """What to do about an error; "" where its own words are all there is to say."""
    match error:
        case NoRegionError():
            return "Set AWS_REGION, or AWS_PROFILE to a profile that has a region."
        case NoCredentialsError():
            return "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        case ProfileNotFound():
            return "`aws configure list-profiles` shows which there are."
        case ConnectionError() | HTTPClientError():
            return "Look at the network, at AWS_REGION, and at AWS_ENDPOINT_URL_… if one is set."
        case ClientError() if answers.code(error) in _BAD_CREDENTIALS:
            return "The credentials are old or wrong: renew them, or look at AWS_PROFILE."
        case ClientError() if answers.code(error).startswith("AccessDenied"):
            return "serverless_config/iam/deploy.json has the rights that are needed."
    return ""
