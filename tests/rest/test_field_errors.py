"""What is wrong with a request's fields is told as sentences of ours, whatever pydantic calls it."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from airflow_rerun_downstream.domain.sentence import sentence_in
from airflow_rerun_downstream.rest import queries, requests
from airflow_rerun_downstream.rest.field_errors import what_is_wrong
from airflow_rerun_downstream.rest.fields import MAX_LISTED, Body, Id, KeyName, Listed, Moment
from airflow_rerun_downstream.rest.problems import of_errors


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(Body):
    dag_id: Id


class Every(Body):
    """A field of each kind that the contract has."""

    text: Id = "a"
    key: KeyName = "a"
    number: int = Field(1, ge=1, le=9)
    flag: bool = False
    moment: Moment | None = None
    names: list[Id] = Field([], max_length=2)
    colour: Colour = Colour.RED
    word: Literal["a", "b"] = "a"
    inner: Inner | None = None


class Listing(Body):
    names: Annotated[list[Id], Listed] = Field([])


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"text": 1}, "not_text", "text: it isn't text."),
    ({"text": ""}, "too_short", "text: it needs at least 1 characters."),
    ({"text": "x" * 251}, "too_long", "text: it may have at most 250 characters."),
    ({"text": "a\x00"}, "nul", "text: a NUL character can't be stored."),
    ({"key": "a b"}, "odd_characters", "key: it has characters that aren't allowed there, or too many or too few."),
    ({"number": "x"}, "not_integer", "number: it isn't a whole number."),
    ({"number": 1.5}, "not_integer", "number: it isn't a whole number."),
    ({"number": 0}, "at_least", "number: it must be at least 1."),
    ({"number": 10}, "at_most", "number: it must be at most 9."),
    ({"flag": "perhaps"}, "not_boolean", "flag: it is neither true nor false."),
    ({"moment": "yesterday"}, "not_moment", "moment: it isn't a date with time in ISO 8601."),
    ({"moment": "2026-01-01T00:00:00"}, "no_time_zone", "moment: it has no time zone."),
    ({"moment": "0001-01-01T00:00:00+14:00"}, "out_of_range", "moment: the moment is out of range."),
    ({"names": "a"}, "not_list", "names: it isn't a list."),
    ({"names": ["a", "b", "c"]}, "long_list", "names: it may have at most 2 entries."),
    ({"colour": "green"}, "none_of", "colour: it must be one of red, blue."),
    ({"word": "c"}, "none_of", "word: it must be one of a, b."),
    ({"inner": 1}, "not_object", "inner: it isn't an object."),
    ({"inner": {}}, "missing", "inner.dag_id: it is missing."),
    ({"other": 1}, "unknown", "other: there is no such field."),
]


@pytest.mark.parametrize(("body", "code", "english"), WRONG, ids=[code for _, code, _ in WRONG])
def test_each_kind_of_error(body: dict[str, Any], code: str, english: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Every.model_validate(body)
    (error,) = refused.value.errors()
    said = sentence_in(what_is_wrong(error))
    assert said is not None
    assert said.code == f"field.{code}"
    status, answer = of_errors(refused.value.errors())
    assert (status, answer["detail"]) == (422, english)


def test_what_our_own_validators_refuse_is_a_sentence_too() -> None:
    refusals = (
        lambda: requests.FutureRefBody.model_validate({"dag_id": "a"}),
        lambda: queries.DagRunQuery.model_validate({"dag_id_pattern": "|" * 1000}),
        lambda: queries.DagRunQuery.model_validate({"order_by": "colour"}),
        lambda: Every.model_validate({str(number): 1 for number in range(100)}),
        lambda: Listing.model_validate({"names": ["a"] * (MAX_LISTED + 1)}),
    )
    for refuse in refusals:
        with pytest.raises(ValidationError) as refused:
            refuse()
        for error in refused.value.errors():
            said = sentence_in(what_is_wrong(error))
            assert said is not None
            assert said.code != "field.unknown"


def test_what_isnt_known_is_still_told() -> None:
    found = what_is_wrong({"type": "a_new_one", "msg": "New in pydantic 9"})
    assert (found, found.code) == ("New in pydantic 9", "field.said")
