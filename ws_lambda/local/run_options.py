"""The options of a run of `ws_local`, and the names that its processes agree on."""

from dataclasses import dataclass, field
from math import inf

from ws_lambda.local.fault_injection import Faults
from ws_lambda.local.options import Options
from ws_lambda.local.quotas import Quotas

ACCESS_KEY, REGION = "local", "eu-west-1"
"""Requests are signed with these and with a secret that is new in each run. No real credentials are used or needed.
The access key stays the same, because DynamoDB Local separates tables by it.
"""

STAGE = API_ID = "local"
QUEUE, QUEUE_PATH = "fanout", "/_sqs"
RELOAD = 3
"""Exit code by which a worker asks to be started again: Django's own."""

HANDLER = "ws_lambda.lambda_handler.handler"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """The command line, parsed."""

    port: int
    ws_port: int
    handler: str = HANDLER
    """Dotted path of the function that the gateway invokes."""

    integration: str = "lambda"
    """`lambda`, or `http` to post events to the site's own URLs."""

    reload: bool = True
    faults: Faults = field(default_factory=Faults)
    quotas: Quotas = field(default_factory=Quotas)
    options: Options = field(default_factory=Options)
    seed: int = 0
    """Seeds faults and ids."""

    speed: float = 1.0
    """Gateway seconds per second."""

    def __post_init__(self) -> None:
        if not 0 < self.speed < inf:
            raise ValueError(f"The speed must be more than 0, not {self.speed:g}.")
