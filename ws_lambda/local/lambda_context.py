"""The context object of a Lambda invocation."""

import time
import uuid

MEMORY_MB = 512


class LambdaContext:
    """What a function learns about its own invocation."""

    def __init__(self, function_name: str = "local", seconds: float = 30.0) -> None:
        self._deadline = time.monotonic() + seconds
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:local:000000000000:function:{function_name}"
        self.memory_limit_in_mb = MEMORY_MB
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))
