"""What a tick observed, and how much it may do."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from airflow_rerun_downstream.conductor.adoption import Made
from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import DagRoom
from airflow_rerun_downstream.domain.verdict import Evidence


@dataclass(frozen=True)
class Observations:
    """What a tick observed: runs of members, what tells more of them than their states, and what trigger tasks made.

    ``evidence`` and ``holds``, those of frozen members, go by member id; ``holds`` None: nobody looked. ``rooms``: what
    Dags can start, of those with ready members. ``asked`` are the runs that don't move and were asked why;
    ``waits`` has the answers.
    """

    runs: Mapping[RunRef, Observation] = field(default_factory=dict)
    evidence: Mapping[int, Evidence] = field(default_factory=dict)
    made: Made = field(default_factory=dict)
    holds: Mapping[int, Hold] | None = None
    rooms: Mapping[str, DagRoom] = field(default_factory=dict)
    asked: Collection[RunRef] = ()
    waits: Mapping[RunRef, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """How much a tick may do: a rerun's members in flight at once, and frozen runs to release.

    ``frozen_before``: what was frozen at that moment or earlier has waited too long. ``closed_since``: members that
    ended after it are waited for until Airflow has closed their runs; None: nothing is waited for. ``given_up``:
    members whose run couldn't be adopted.
    """

    in_flight: int
    releases: int = sys.maxsize
    frozen_before: datetime | None = None
    closed_since: datetime | None = None
    given_up: Collection[int] = ()
