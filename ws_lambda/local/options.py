"""What nobody has measured, or AWS does not say. Assert nothing on these: they are here to be changed."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """One field per uncertain row of the facts, with the default this gateway takes."""

    pings_count: bool = False
    """Whether a protocol ping keeps an idle connection open. Rely on keep-alives of the application."""

    refusal_body: bool = False
    """Whether the body of a refused `$connect` reaches the client."""

    duration_close: tuple[int, str] = (1001, "Going away")
    """Code and reason of the forced close after two hours."""

    network_loss: tuple[int, str] = (1006, "Network connection lost")
    """What `$disconnect` says of a client that vanished."""

    too_big_reason: str = "Message too long"
    """The reason that goes with close code 1009."""

    binary_reason: str = "Binary messages are not supported"
    """The reason that goes with close code 1003."""

    failed_status_is_error: bool = True
    """Whether a 5xx of the integration on a message makes an error frame instead of a reply."""

    forwarded_proto: str = "https"
    """`X-Forwarded-Proto` of a `$connect`. AWS has nothing but https; a local server has nothing but http."""
