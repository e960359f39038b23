"""Rows of DynamoDB. Each file has all row classes of one table; their behaviour is in `ws_lambda.models`.

A new table also needs an entry in `ALL_TABLES` of `ws_lambda.models` and in `serverless_config/tables.yaml`.
"""
