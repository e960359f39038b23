"""The rows of DynamoDB, one file for each table with every row class of it. What they do is in `ws_lambda.models`."""
