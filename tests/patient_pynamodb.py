"""PynamoDB in the processes of a test run: where the machine is busy moto answers late, and is asked again."""

max_retry_attempts = 20
