"""One call of the REST API: what is sent, and what the answer is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from airflow_rerun_downstream.client.exceptions import ConnectionProblem, RefusedError
from airflow_rerun_downstream.rest.record_payloads import MemberResults
from airflow_rerun_downstream.rest.requests import KEY_NAMES, Chosen, chosen_members

Answer = TypeVar("Answer", bound=BaseModel)
Object = Mapping[str, Any]
"""A body as JSON has it."""


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """A request and the type of its answer. ``repeatable``: sent twice, it does no more than once."""

    method: Literal["GET", "POST"]
    path: str
    answer: type[Answer]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: BaseModel | Object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False

    def json(self) -> Any:
        """The body: only what was said, so that a server's defaults count."""
        if isinstance(self.body, BaseModel):
            return self.body.model_dump(mode="json", exclude_unset=True)
        return self.body

    def query(self) -> dict[str, Any]:
        """The parameters as texts; None is left out, collections are repeated."""
        found: dict[str, Any] = {}
        for name, value in self.params.items():
            if isinstance(value, Collection) and not isinstance(value, str):
                found[name] = [text(each) for each in value]
            elif value is not None:
                found[name] = text(value)
        return found

    def answered(self, found: Any) -> Answer:
        """The answer as an object of the contract. Raises `ConnectionProblem`."""
        try:
            return self.answer.model_validate(found)
        except ValidationError as error:
            raise ConnectionProblem(f"The answer to {self.method} {self.path} is not of this API: {error}") from error


def text(value: Any) -> str:
    """A parameter's value as the query string has it."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def get(answer: type[Answer], path: str, **params: Any) -> Call[Answer]:
    """A question."""
    return Call("GET", path, answer, params, repeatable=True)


def page(answer: type[Answer], path: str, limit: int | None, offset: int | None) -> Call[Answer]:
    """A question for a page of a list."""
    return get(answer, path, limit=limit, offset=offset)


def post(answer: type[Answer], path: str, **seen: Any) -> Call[Answer]:
    """An action; ``seen``: how the caller saw what it is about, None for what isn't to be compared."""
    said = {name: value for name, value in seen.items() if value is not None}
    return Call("POST", path, answer, body=said if seen else None)


def chosen(path: str, members: Chosen) -> Call[MemberResults]:
    """An action on several members."""
    return Call("POST", path, MemberResults, body={"members": chosen_members(members)})


def name(of: str) -> str:
    """An id as a part of a path."""
    return quote(of, safe="")


def keyed(idempotency_key: str | None) -> dict[str, str]:
    """The header with a key. Raises `RefusedError`, as the server would, for one that no header can carry."""
    if idempotency_key is None:
        return {}
    try:
        return {"Idempotency-Key": KEY_NAMES.validate_python(idempotency_key)}
    except ValidationError:
        detail = "An idempotency key has 1 to 250 printable ASCII characters, without spaces."
        raise RefusedError(422, "invalid", detail, {}) from None
