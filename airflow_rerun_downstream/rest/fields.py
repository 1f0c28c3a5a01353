"""What requests and answers are made of: their base classes, and the kinds of field that a request has.

Unknown fields are refused. Text that a database can't hold is refused here, with a sentence, instead of failing there.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.settings import MAX_TEXT

MAX_INT = 2**31 - 1
"""Airflow's and our integer columns end here."""

MAX_ID = 250
"""Longest id that Airflow takes, in characters."""

MAX_LISTED = 10_000
"""Most runs, and most tasks of a run, that a request may name. A larger plan is submitted by its default selection."""

MAX_TOKEN = 800_000
"""Longest plan token, in characters: that of a plan of 50,000 runs."""

PART = 500
MAX_UNKNOWN_FIELDS = 20
"""How many fields too many are named one by one."""


def storable(text: str) -> str:
    """Refuse what PostgreSQL can't hold: NUL, and halves of characters (JSON's ``\\ud800``)."""
    if "\x00" in text:
        raise ValueError(Sentence("field.nul"))
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(Sentence("field.surrogate"))
    return text


def in_range(moment: datetime) -> datetime:
    """The moment in UTC; refuse one that has no date there."""
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(Sentence("field.out_of_range")) from None


def few(given: Any) -> Any:
    """Refuse a list that is too long before its entries are looked at."""
    if isinstance(given, list) and len(given) > MAX_LISTED:
        raise ValueError(Sentence("field.long_list", limit=MAX_LISTED))
    return given


def in_parts(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Look at a list part by part, and no further than at the first part with an error: errors cost most."""
    if not isinstance(given, list):
        return validate(given)
    found: list[Any] = []
    for start in range(0, len(given), PART):
        try:
            found += validate(given[start : start + PART])
        except ValidationError:
            validate(given[: start + PART])  # once more, for the places of the errors
            raise
    return found


Token = Annotated[str, StringConstraints(max_length=MAX_TOKEN), AfterValidator(storable)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID), AfterValidator(storable)]
KeyName = Annotated[str, StringConstraints(pattern=f"^[!-~]{{1,{MAX_ID}}}$")]
"""An idempotency key: what a header can carry."""
Listed = BeforeValidator(few)
InParts = WrapValidator(in_parts)
MOST = Field(json_schema_extra={"maxItems": MAX_LISTED})
LongText = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(storable)]
Moment = Annotated[AwareDatetime, AfterValidator(in_range)]
Count = Annotated[int, Field(ge=1, le=MAX_INT)]


def or_its_id(name: str, of: ValidationInfo) -> str:
    """What something is called; its id where a server that doesn't know display names yet has left that out."""
    return name or str(of.data.get(str(of.field_name).replace("_display_name", "_id"), ""))


Called = Annotated[
    str,
    Field(validate_default=True, json_schema_extra=lambda schema: schema.pop("default", None)),
    AfterValidator(or_its_id),
]
"""A display name. Its field comes after that of the id."""


class Body(BaseModel):
    """A part of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def few_fields(cls, given: Any) -> Any:
        """Refuse very many unknown fields at once: each would be an error of its own."""
        if isinstance(given, dict) and len(given) > len(cls.model_fields) + MAX_UNKNOWN_FIELDS:
            raise ValueError(Sentence("field.fields_unknown", given=len(given), known=list(cls.model_fields)))
        return given


class Payload(BaseModel):
    """An object of the contract. A client that is older than the server ignores what it doesn't know.

    One that is newer finds its default in a field that the server doesn't know yet: what is added has one.

    What has a default is always sent, and the OpenAPI document says so. One of the inside's values that has the same
    fields is taken as it is.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_serialization_defaults_required=True)
