"""Texts that are one of a list of words, by the names that these lists have in the OpenAPI document.

Words that aren't listed pass as well: a record may hold one of an older release, and a client shows what it doesn't
know.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain import words
from airflow_rerun_downstream.domain.reasons import REASONS


class Word(str, Enum):
    """A text like any other, of which the document lists the values."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, format_spec: str) -> str:
        return format(str(self.value), format_spec)

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, str):
            return None
        other = str.__new__(cls, value)
        other._name_ = other._value_ = value
        return other


def listed(name: str, of: Iterable[str]) -> Any:
    """The type of a text that is one of some words."""
    made: Any = Word
    return made(name, {word: word for word in of}, module=__name__)


if TYPE_CHECKING:
    Reason = str
    CauseWord = str
    LeftReason = str
    WarningCode = str
    EventAction = str
    RerunAction = str
    MemberAction = str
    Condition = str
    HealthStatus = str
    RunType = str
else:
    Reason = listed("Reason", REASONS)
    CauseWord = listed("CauseWord", words.CAUSES)
    LeftReason = listed("LeftReason", (*REASONS, *words.LEFT))
    WarningCode = listed("WarningCode", words.WARNINGS)
    EventAction = listed("EventAction", words.EVENTS)
    RerunAction = listed("RerunAction", words.RERUN_ACTIONS)
    MemberAction = listed("MemberAction", words.MEMBER_ACTIONS)
    Condition = listed("Condition", words.CONDITIONS)
    HealthStatus = listed("HealthStatus", words.HEALTH)
    RunType = listed("RunType", words.RUN_TYPES)
