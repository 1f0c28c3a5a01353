"""Refusals as HTTP answers: the one place where a reason becomes a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from airflow_rerun_downstream.domain.errors import Invalid, Refusal
from airflow_rerun_downstream.domain.refs import shown
from airflow_rerun_downstream.domain.sentence import Sentence, sentence_in, to_json
from airflow_rerun_downstream.rest.field_errors import pydantics, what_is_wrong

Answer = tuple[int, dict[str, Any]]

MAX_ERRORS = 20
"""How many errors of a request are told one by one."""

REASONS: Mapping[int, str] = {
    400: "bad_request",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "body_too_large",
    422: "invalid",
    500: "internal_error",
    503: "unavailable",
}
"""The word for refusals that don't come from the inside: of Airflow, of the web framework."""


def of_refusal(refusal: Refusal) -> Answer:
    """The answer to a refusal of the inside."""
    extra = {name: json_value(value) for name, value in refusal.extra.items()}
    return refusal.status, {**extra, **told(refusal.detail), "reason": refusal.reason}


def told(detail: str) -> dict[str, Any]:
    """A text, and what it was made of."""
    sentence = sentence_in(detail)
    return {"detail": detail} if sentence is None else {"detail": detail, "sentence": to_json(sentence)}


def of_errors(errors: Iterable[Mapping[str, Any]]) -> Answer:
    """The answer to a request that doesn't have the contract's form; ``errors`` as pydantic lists them.

    What was sent isn't repeated: it may be anything, also what JSON can't hold.
    """
    every = list(errors)
    listed = [
        {"loc": [short(each) for each in error["loc"]], "msg": pydantics(error), "type": error["type"]}
        for error in every[:MAX_ERRORS]
    ]
    said = [
        Sentence("part.error_at", place=place(entry["loc"]), error=what_is_wrong(error))
        for entry, error in zip(listed, every, strict=False)
    ]
    if (more := len(every) - MAX_ERRORS) > 0:
        said.append(Sentence("part.and_more_errors", count=more))
    detail = Sentence("refusal.invalid_fields", errors=said)
    return Invalid.status, {**told(detail), "reason": Invalid.reason, "errors": listed}


def short(part: Any) -> Any:
    """A part of a place, which somebody may have given a very long name."""
    return shown(part) if isinstance(part, str) else part


def of_status(status: int, detail: object) -> Answer:
    """The answer to an error that a framework raised; its detail may be text, or an object of its own making."""
    body: dict[str, Any] = {"reason": REASONS.get(status, "refused")}
    if isinstance(detail, Mapping):
        body |= {str(name): json_value(value) for name, value in detail.items()}
        detail = body.pop("message", body["reason"])
        body["reason"] = str(body["reason"]).lower().replace(" ", "_")
    return status, {**body, **told(detail if isinstance(detail, str) else str(detail))}


def internal() -> Answer:
    """The answer to an error of ours. What happened is in the server's log, not in the answer."""
    return 500, {**told(Sentence("refusal.internal_error")), "reason": REASONS[500]}


def place(loc: Sequence[object]) -> str:
    """Where in the request an error is, without the part that only names the request's half."""
    path = loc[1:] if len(loc) > 1 and loc[0] in ("body", "query", "path") else loc
    return ".".join(map(str, path)) or Sentence("part.request")


def json_value(value: Any) -> Any:
    """A value made of what JSON has: dataclasses become objects, collections lists, dates ISO 8601."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: json_value(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): json_value(each) for name, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((json_value(each) for each in value), key=str)
    if isinstance(value, (list, tuple)):
        return [json_value(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
