"""Telemetry that remembers what it was told."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.ports.metrics import Delivery, ErrorKind
from airflow_rerun_downstream.ports.telemetry import INFO, LogOnly, Standing


@cache
def documented_actions() -> frozenset[str]:
    """The first words of the lines of the log, as their page has them."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text()
    table = page.partition("| action | what happened |")[2]
    rows = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    return frozenset(re.findall(r"`(\w+)`", " ".join(rows)))


class FakeTelemetry(LogOnly):
    """Everything that was told, each sort in its order."""

    def __init__(self) -> None:
        self.standings: list[Standing | None] = []
        self.ages: list[timedelta] = []
        self.ticks: list[int] = []
        self.dispatches: list[tuple[RunRef, float]] = []
        self.plans: list[int] = []
        self.begun: list[Rerun] = []
        self.ends: list[Rerun] = []
        self.notifications: Counter[Delivery] = Counter()
        self.errors: Counter[ErrorKind] = Counter()
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.tracebacks: list[BaseException] = []

    def stands(self, standing: Standing | None) -> None:
        self.standings.append(standing)

    def lease(self, age: timedelta) -> None:
        self.ages.append(age)

    def ticked(self, *, seconds: float, steps: int) -> None:
        assert seconds >= 0
        self.ticks.append(steps)

    def dispatched(self, rerun: Rerun, member: Member, *, clear_number: int | None, waited: timedelta) -> None:
        self.dispatches.append((member.ref, waited.total_seconds()))

    def planned(self, *, seconds: float, runs: int) -> None:
        assert seconds >= 0
        self.plans.append(runs)

    def submitted(self, rerun: Rerun, source: RunFacts) -> None:
        assert source.ref == rerun.source
        self.begun.append(rerun)

    def ended(self, rerun: Rerun) -> None:
        self.ends.append(rerun)

    def notified(self, result: Delivery) -> None:
        self.notifications[result] += 1

    def failed(self, kind: ErrorKind) -> None:
        self.errors[kind] += 1

    def line(self, action: str, *, level: int = INFO, error: BaseException | None = None, **fields: Any) -> None:
        assert action in documented_actions(), f"docs/metrics.md doesn't say what {action} means"
        super().line(action, level=level, error=error, **fields)
        self.lines.append((action, {key: value for key, value in fields.items() if value is not None}))
        if error is not None:
            self.tracebacks.append(error)

    @property
    def actions(self) -> list[str]:
        return [action for action, _ in self.lines]
