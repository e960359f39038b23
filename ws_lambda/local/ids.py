"""Connection, request and message ids that look like the service's: 15 characters and one `=`."""

import base64
import random


class Ids:
    """A source of ids. The same seed gives the same ids."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - ids, not secrets: SigV4 guards @connections

    def __call__(self) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(11)).decode()
