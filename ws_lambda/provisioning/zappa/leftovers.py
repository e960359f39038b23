"""Deletes what Zappa's undeploy leaves behind: the role and the bucket of the deployment."""

from typing import Any

from ws_lambda.exceptions import ProvisioningError


def clear_away(cli: Any) -> None:
    """Deletes the role that Zappa created and the bucket that we named, unless they are the user's own.

    Raises:
        ProvisioningError: the bucket cannot be deleted.
    """
    if cli.manage_roles and not cli.desired_role_arn:
        _delete_role(cli.zappa)
    if "s3_bucket" not in cli.stage_config:
        _delete_bucket(cli.zappa.s3_client, cli.s3_bucket_name, cli.lambda_name)


def _delete_role(zappa: Any) -> None:
    client, role = zappa.iam_client, zappa.role_name
    try:
        for policy in client.list_role_policies(RoleName=role)["PolicyNames"]:
            client.delete_role_policy(RoleName=role, PolicyName=policy)
        client.delete_role(RoleName=role)
    except client.exceptions.NoSuchEntityException:
        return


def _delete_bucket(client: Any, bucket: str, function: str) -> None:
    try:
        # A deploy that was interrupted leaves its package and its template there.
        listed = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{function}-")
        for key in [one["Key"] for page in listed for one in page.get("Contents", [])]:
            client.delete_object(Bucket=bucket, Key=key)
        client.delete_bucket(Bucket=bucket)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise ProvisioningError(f"The bucket {bucket} could not be deleted: {error}") from error
