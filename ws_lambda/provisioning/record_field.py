"""The description of one field of a gateway's record."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ws_lambda.provisioning import field_checks
from ws_lambda.provisioning.field_checks import Check
from ws_lambda.tables.gateways import Status


class Area(StrEnum):
    """The part of API Gateway that holds a field, and the first part of the name of its facts."""

    API = "api"
    STAGE = "stage"
    DOMAIN = "domain"
    """The first of the domain's configurations."""

    TAGS = "tags"
    ROUTE = "route"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordField:
    """One field: how people see it, where AWS holds it, and what it may hold."""

    name: str
    """The attribute of `ApiGateway`."""

    label: str
    """What the admin calls it."""

    help: str = ""
    """A sentence or two for the form and for the command line."""

    section: str | None = None
    """The heading in the form: "" for the first part, which has none, and None for a field that is not in the form."""

    kind: type = str
    """`str`, `float`, `int`, `bool`, `dict`, `list` or `datetime`."""

    default: Any = ""
    """The value in a new record. None makes the field nullable."""

    max_length: int | None = None
    """Characters."""

    choices: tuple[tuple[str, str], ...] = ()
    """Value and label."""

    multiline: bool = False
    """Whether the form shows several lines."""

    wide: bool = False
    """Whether the form shows an input of full width."""

    answered: bool = False
    """Whether AWS, or a step of ours, fills it in: it is shown, and never typed."""

    fixed_from: Status | None = None
    """The status from which it cannot change, because it names something that AWS has by then."""

    option: str = ""
    """The option of `ws_gateway create` and `ws_gateway update`."""

    area: Area | None = None
    """Where API Gateway holds it. None: it is kept in the record only."""

    aws_name: str = ""
    """Its name in the operations of the area, dotted if it is nested. "": separate code transfers it."""

    fact: str = ""
    """Its name in the comparison with AWS, after the area. "": separate code compares it, or nothing does."""

    to_aws: Callable[[Any], Any] = lambda value: value
    """How a value is written in AWS."""

    check: Check | None = None
    """Validates a value. Rules that involve several fields are in `rules`."""

    @property
    def is_number(self) -> bool:
        return self.kind in (float, int)

    @property
    def is_pulled(self) -> bool:
        """Whether `ws_gateway sync --from-aws` may change it."""
        return self.area is not None and not self.answered and self.fixed_from is None

    def problems(self, value: Any) -> Iterator[str]:
        """What is wrong with a value, in sentences."""
        said = list(self.check(value)) if self.check else []
        if not said and self.max_length and isinstance(value, str):
            said = list(field_checks.at_most(self.max_length)(value))
        yield from said

    def as_text(self, value: Any) -> str:
        """A value as the text of a fact; "" for an empty value."""
        return f"{float(value):.15g}" if value and self.is_number else str(value or "")

    def from_text(self, text: str) -> Any:
        """The value from the text of a fact. A number that is empty is None."""
        if not self.is_number:
            return text
        return self.kind(float(text)) if text else None

    def look_up(self, answer: Mapping[str, Any]) -> Any:
        """The value in an answer of API Gateway; None where it is absent."""
        found: Any = answer
        for key in self.aws_name.split("."):
            found = (found or {}).get(key)
        return found
