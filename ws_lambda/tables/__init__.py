"""Rows of DynamoDB. Each file has all row classes of one table; their behaviour is in `ws_lambda.models`."""
