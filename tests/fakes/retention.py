"""Retention in memory, over the fake store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from airflow_rerun_downstream.domain.states import FINAL_RERUN_STATES
from airflow_rerun_downstream.ports.retention import Cleaning
from tests.fakes.freezer import FakeFreezer
from tests.fakes.store import FakeStore


class FakeRetention:
    """`Retention` in memory: a rerun goes as a whole. ``noted``: what was written into the audit log."""

    def __init__(self, store: FakeStore, freezer: FakeFreezer) -> None:
        self.store = store
        self.freezer = freezer
        self.noted: list[tuple[Cleaning, str]] = []

    def clean(self, cleaning: Cleaning, *, rows: int) -> Cleaning:
        rerun_id = min((one for one in self.old(cleaning.before) if one > cleaning.last), default=None)
        if rerun_id is None:
            return replace(cleaning, reruns=(), records_done=True, done=True)
        members = [one.id for one in self.store.rows.members.values() if one.rerun_id == rerun_id]
        found = {"rerun_downstream_rerun": 1, "rerun_downstream_member": len(members)}
        if not cleaning.dry_run:
            self.remove(rerun_id, members)
        return replace(cleaning, reruns=(), last=rerun_id, rows=cleaning.more(found))

    def remove(self, rerun_id: int, members: list[int]) -> None:
        del self.store.rows.reruns[rerun_id]
        for member_id in members:
            del self.store.rows.members[member_id]

    def old(self, before: datetime) -> list[int]:
        frozen = {one.rerun_id for one in self.freezer.holds(list(self.store.rows.reruns))}
        return [
            each.id
            for each in self.store.rows.reruns.values()
            if each.state in FINAL_RERUN_STATES and each.ended_at is not None and each.ended_at < before
            if each.id not in frozen
        ]

    def kept(self, before: datetime) -> Mapping[str, int]:
        over = [
            each
            for each in self.store.rows.reruns.values()
            if each.state in FINAL_RERUN_STATES and each.ended_at is not None and each.ended_at < before
        ]
        return {"frozen": len(over) - len(self.old(before)), "telling": 0, "making_runs": 0, "took_places": 0}

    def note(self, cleaning: Cleaning, *, actor: str) -> None:
        self.noted.append((cleaning, actor))
