"""Which runs, members or not, still hold data older than what is there now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from airflow_rerun_downstream.domain.proof import Older, ProvenLink, Spot, TaskTries
from airflow_rerun_downstream.domain.proof_clocks import Moment, begin, comes_after, end
from airflow_rerun_downstream.domain.proof_pairs import Pairs
from airflow_rerun_downstream.domain.proof_scene import ENDED, SENSOR, Scene, earliest
from airflow_rerun_downstream.domain.proof_tasks import LEFT
from airflow_rerun_downstream.domain.refs import RunRef


class Remains:
    """Follows what was made anew to whoever has read what had been there before."""

    def __init__(self, scene: Scene, pairs: Pairs) -> None:
        self.scene = scene
        self.pairs = pairs
        self.leaving: dict[RunRef, list[ProvenLink]] = {}
        for link in scene.facts.links:
            self.leaving.setdefault(link.upstream, []).append(link)

    def older(self) -> list[Older]:
        """All of it, each run or task once, with one run that it is older than."""
        found: dict[Spot, Older] = {}
        pending: deque[tuple[ProvenLink, Spot]] = deque(self.direct())
        while pending:
            link, because_of = pending.popleft()
            spot = Spot(self.scene.now(link.downstream), link.to_task)
            if spot in found:
                continue
            found[spot] = Older(spot, because_of, self.accepted(link))
            for behind in self.leaving.get(link.downstream, ()):
                if self.still_there(behind) and self.pairs.leads_on(link, self.pairs.written(behind)):
                    pending.append((behind, spot))
        return sorted(found.values(), key=lambda one: (one.spot.ref, one.spot.task_id or ""))

    def direct(self) -> Iterator[tuple[ProvenLink, Spot]]:
        """The links whose reader read before the last that was written."""
        for link in self.scene.facts.links:
            writer = self.scene.by_submit.get(link.upstream)
            if writer is None or writer.state not in ENDED or not self.still_there(link):
                continue
            reads = self.reads(link)
            for task in self.scene.selected[writer.ref]:
                ids = self.pairs.written(link)
                last = self.last_written(writer.ref, task) if ids is None or task.task_id in ids else None
                if last is not None and any(comes_after(read, last) is False for read in reads):
                    yield link, Spot(writer.ref, task.task_id)
                    break

    def still_there(self, link: ProvenLink) -> bool:
        """Whether the run that reads exists, and isn't going to be made anew."""
        member = self.scene.by_submit.get(link.downstream)
        here = self.scene.now(link.downstream)
        return (
            here in self.scene.facts.runs
            and link.downstream != link.upstream
            and (member is None or member.state in ENDED)
        )

    def last_written(self, ref: RunRef, task: TaskTries) -> Moment | None:
        """When what a task instance holds now was written, if that was in the rerun."""
        new = [one for one in self.scene.new_tries(ref, task) if one.state == "success"]
        return end(new[-1]) if new else None

    def reads(self, link: ProvenLink) -> list[Moment]:
        """When the data was read that the reader of a link holds now."""
        ref = self.scene.now(link.downstream)
        member, ids = self.scene.by_submit.get(link.downstream), self.pairs.reading(link)
        found = []
        for task in self.scene.facts.runs[ref].tasks if member is None else self.scene.selected[ref]:
            held = [one for one in task.tries if one.state == "success"]
            if held and task.state != "removed" and (ids is None or task.task_id in ids):
                moment = end(held[-1]) if link.kind == SENSOR else begin(held[-1])
                found += [moment] if moment is not None else []
        return earliest(found)

    def accepted(self, link: ProvenLink) -> str | None:
        """Who accepted that a run, or its reading task, stays as it is."""
        ids = None if link.to_task is None else self.scene.after(link.downstream, link.to_task) or {link.to_task}
        by = self.scene.told(link.downstream, LEFT, ids)
        member = self.scene.by_submit.get(link.downstream)
        if by is None and member is not None:
            return next((who for (task_id, _), who in member.listed.items() if ids is None or task_id in ids), None)
        return by
