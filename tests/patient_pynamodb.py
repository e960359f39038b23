"""PynamoDB's settings in the processes of a test run: on a busy machine moto is slow, so requests are repeated."""

max_retry_attempts = 20
