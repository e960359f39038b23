"""An API Gateway WebSocket API on this machine. Never imported on Lambda.

`emulator.Gateway` is the service itself. It owns no socket and never sleeps, so `server` can drive it with aiohttp
and `ws_lambda.testing` with nothing at all. There is one file for each AWS concept.

Tests hand `Faults` and `Options` to `ws_lambda.testing.InProcessGateway`.
"""

from ws_lambda.local.fault_injection import Faults
from ws_lambda.local.options import Options

__all__ = ["Faults", "Options"]
