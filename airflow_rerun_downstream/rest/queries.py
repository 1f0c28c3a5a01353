"""What the query strings of the collections mean inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from airflow_rerun_downstream.domain.idempotency import users_key
from airflow_rerun_downstream.domain.refs import shown
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.domain.words import COMPONENTS
from airflow_rerun_downstream.ports.lineage import RunFilter
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.rest.fields import MAX_INT, Body, Id, KeyName, Moment

DEFAULT_LIMIT = 50
MAX_ALTERNATIVES = 20
MAX_CURSOR = 200
MAX_FILTERS = 100
"""Most values of one filter."""
RERUN_ORDERS = (
    "id",
    "name",
    "state",
    "dag_id",
    "run_id",
    "created_by",
    "created_at",
    "started_at",
    "ended_at",
)
RUN_ORDERS = ("dag_id", "run_id", "run_type", "state", "logical_date", "run_after")


def few_alternatives(pattern: str) -> str:
    """Refuse a pattern that would be many questions to the database."""
    if pattern.count("|") >= MAX_ALTERNATIVES:
        raise ValueError(Sentence("field.alternatives_limited", limit=MAX_ALTERNATIVES))
    return pattern


Pattern = Annotated[Id, AfterValidator(few_alternatives)]
Several = Field(max_length=MAX_FILTERS)


class PageQuery(Body):
    """Which part of a list is wanted."""

    limit: Annotated[int, Field(ge=0)] = DEFAULT_LIMIT
    offset: Annotated[int, Field(ge=0, le=MAX_INT)] = 0

    def limit_within(self, maximum: int) -> int:
        """The limit; a larger one than the deployment allows is cut, not refused."""
        return min(self.limit, maximum)


class ProofQuery(Body):
    """How a proof is wanted. ``limit``: most findings, and most runs with older data. ``format`` csv: as a file."""

    limit: Annotated[int, Field(ge=0, le=100_000)] = 1_000
    format: Literal["json", "csv"] | None = None


class EstimateQuery(Body):
    """How an estimate is wanted. ``limit``: most steps of the critical path, and most members."""

    limit: Annotated[int, Field(ge=0, le=1_000)] = 100


class ChangesQuery(Body):
    """A question for what has changed. ``since``: the cursor of an earlier answer; without one: all there is.

    ``limit``: most members, and most lines of the record.
    """

    since: Annotated[str, Field(max_length=MAX_CURSOR)] | None = None
    limit: Annotated[int, Field(ge=1)] = DEFAULT_LIMIT


if TYPE_CHECKING:
    Component = str
else:
    Component = Literal[COMPONENTS]


class HealthQuery(Body):
    """A question for the installation. ``component``: only these, of which no other costs anything."""

    component: list[Component] | None = Field(None, max_length=MAX_FILTERS)


class MemberQuery(PageQuery):
    """A question for a page of members. ``member_id``: of those among these, such as those that may have changed."""

    member_id: list[Annotated[int, Field(ge=0, le=MAX_INT)]] | None = Field(None, max_length=MAX_FILTERS)


def orders(allowed: tuple[str, ...]) -> dict[str, Any]:
    """What a schema says of ``order_by``."""
    return {"enum": [*allowed, *(f"-{name}" for name in allowed)]}


def checked_order(order_by: str, allowed: tuple[str, ...]) -> str:
    """Refuse an order that isn't one of ``allowed``, with or without a ``-`` for descending."""
    if order_by.removeprefix("-") not in allowed:
        raise ValueError(Sentence("field.not_an_order", given=shown(order_by), known=allowed))
    return order_by


class RerunQuery(PageQuery):
    """A question for a page of reruns. ``dag_id``, its pattern and ``run_id`` match any member, not only the source.

    A pattern is a part of the id in any case, with ``%`` and ``_`` as in SQL's LIKE, ``|`` between alternatives.
    ``search`` is a part of the name or of the reason in any case, and no pattern.
    ``idempotency_key``: the one with which you have submitted it.
    """

    state: Annotated[list[RerunState] | None, Several] = None
    dag_id: Id | None = None
    dag_id_pattern: Pattern | None = None
    run_id: Id | None = None
    search: Id | None = None
    created_by: Id | None = None
    created_at_gte: Moment | None = None
    created_at_lte: Moment | None = None
    frozen: bool | None = None
    idempotency_key: KeyName | None = None
    order_by: Annotated[str, Field(json_schema_extra=orders(RERUN_ORDERS))] = "-id"

    @field_validator("order_by")
    @classmethod
    def known_order(cls, order_by: str) -> str:
        """Refuse an order that the store doesn't have."""
        return checked_order(order_by, RERUN_ORDERS)

    def wanted(self, actor: Actor, maximum: int) -> RerunFilter:
        """The question as the inside has it; a key is the user's own."""
        return RerunFilter(
            states=frozenset(self.state) if self.state else None,
            dag_id=self.dag_id,
            dag_id_pattern=self.dag_id_pattern,
            run_id=self.run_id,
            search=self.search,
            created_by=self.created_by,
            created_at_gte=self.created_at_gte,
            created_at_lte=self.created_at_lte,
            frozen=self.frozen,
            idempotency_key=None if self.idempotency_key is None else users_key(actor, self.idempotency_key),
            limit=self.limit_within(maximum),
            offset=self.offset,
            order_by=self.order_by,
        )


class DagRunQuery(PageQuery):
    """A question for a page of Dag runs. Patterns: as for reruns; ``owner_pattern`` is for the owners of the run's Dag.

    ``tag``: the Dag has at least one of them.
    """

    dag_id: Annotated[list[Id] | None, Several] = None
    dag_id_pattern: Pattern | None = None
    run_id_pattern: Pattern | None = None
    owner_pattern: Pattern | None = None
    tag: Annotated[list[Id] | None, Several] = None
    state: Annotated[list[Id] | None, Several] = None
    run_type: Annotated[list[Id] | None, Several] = None
    run_after_gte: Moment | None = None
    run_after_lte: Moment | None = None
    can_be_source: bool | None = None
    order_by: Annotated[str, Field(json_schema_extra=orders(RUN_ORDERS))] = "-run_after"

    @field_validator("order_by")
    @classmethod
    def known_order(cls, order_by: str) -> str:
        """Refuse an order that Airflow's runs don't have."""
        return checked_order(order_by, RUN_ORDERS)

    def wanted(self, maximum: int) -> RunFilter:
        """The question as the inside has it."""
        return RunFilter(
            dag_ids=frozenset(self.dag_id) if self.dag_id else None,
            dag_id_pattern=self.dag_id_pattern,
            run_id_pattern=self.run_id_pattern,
            owner_pattern=self.owner_pattern,
            tags=frozenset(self.tag) if self.tag else None,
            states=frozenset(self.state) if self.state else None,
            run_types=frozenset(self.run_type) if self.run_type else None,
            run_after_gte=self.run_after_gte,
            run_after_lte=self.run_after_lte,
            limit=self.limit_within(maximum),
            offset=self.offset,
            order_by=self.order_by,
        )
