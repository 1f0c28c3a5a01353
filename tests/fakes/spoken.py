"""What programs read are words that are listed, whatever a test is about: a page has no text for any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.plan import Plan
from airflow_rerun_downstream.domain.reasons import REASONS
from airflow_rerun_downstream.domain.words import EVENTS, LEFT, WARNINGS, cause
from tests.fakes.store import Rows


@pytest.fixture(autouse=True, scope="module")
def refusals_are_sentences() -> Iterator[None]:
    """Whatever refuses something while tests run says why, so that a user can read it."""
    said: list[object] = []
    real = Refusal.__init__

    def note(self: Refusal, detail: str, **extra: object) -> None:
        said.append(detail)
        real(self, detail, **extra)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Refusal, "__init__", note)
        yield
    odd = [detail for detail in said if not is_sentence(detail)]
    assert odd == []


def only_listed_words(rows: Rows) -> None:
    """Of a record: why everything stands where it does, what has happened, and what wasn't made anew."""
    causes = [each.state_reason for each in (*rows.reruns.values(), *rows.members.values())]
    known((text for text in causes if text and unheard_of(text)), ())
    known((event.action for event in rows.events), EVENTS)
    assert [event for event in rows.events if event.detail is not None and not is_readable(event.detail)] == []
    known((one.reason for some in rows.omissions.values() for one in some), {*REASONS, *LEFT})
    told = [warning for rerun in rows.reruns.values() for warning in rerun.warnings]
    assert [warning for warning in told if not is_sentence(warning.detail)] == []


def only_listed_words_in(plan: Plan) -> Plan:
    """Of a plan: its warnings, and why runs and tasks are taken or aren't."""
    runs = (plan.source, *plan.runs)
    known((warning.code for warning in plan.warnings), WARNINGS)
    known((why for run in runs for why in (run.reason, run.source_reason, run.freeze_reason) if why), REASONS)
    known((task.reason for run in runs for task in run.task_instances if task.reason), REASONS)
    assert [warning for warning in plan.warnings if not is_sentence(warning.detail)] == []
    return plan


def is_sentence(text: object) -> bool:
    """Whether a text is a sentence that a user can read."""
    return is_readable(text) and str(text).endswith(".")


def is_readable(text: object) -> bool:
    """Whether a user can read a text: nothing that is missing stands in it, nor what only Python knows."""
    whole = isinstance(text, str) and not text.isupper()
    return whole and not any(odd in str(text) for odd in ("None", "  ", "..", " ,", "frozenset"))


def unheard_of(text: str) -> bool:
    """Whether a stored reason has no word."""
    found = cause(text)
    return found is None or found.word is None


def known(words: Iterable[str], listed: Iterable[str]) -> None:
    others = set(words) - set(listed)
    assert not others, f"words that aren't listed: {sorted(others)}"
