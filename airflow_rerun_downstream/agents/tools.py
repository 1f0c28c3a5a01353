"""What an agent can do, a method for each tool. Each makes calls of the client and shortens what they answer.

Only `Tools.propose` stores anything, and what it stores touches no run.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from pydantic import Field

from airflow_rerun_downstream.agents.shortening import shortened
from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, ClientError
from airflow_rerun_downstream.client.contract import (
    REASONS,
    Link,
    Member,
    Plan,
    PlanBody,
    RerunBody,
    RerunState,
    RunRefBody,
    RunWithTasks,
)

Answer = dict[str, Any]

APPROVERS = "Any user who may edit the runs of every Dag in it. No tool approves it."

Limit = Annotated[int, Field(ge=1, le=100, description="How many entries each list of the answer has at most.")]
Offset = Annotated[int, Field(ge=0, description="How many entries to pass over.")]
RerunId = Annotated[int, Field(ge=1, description="The id of a rerun, as list_reruns answers it.")]


class Tools:
    """The tools. Their docstrings are what the agent reads."""

    def __init__(self, client: AsyncRerunDownstreamClient) -> None:
        self._client = client

    async def list_dag_runs(
        self,
        dag_id: Annotated[str | None, Field(description="The exact id of a Dag.")] = None,
        dag_id_pattern: Annotated[str | None, Field(description="A part of a Dag's id, in any case.")] = None,
        state: Annotated[str | None, Field(description="Airflow's state, such as success or failed.")] = None,
        can_be_source: Annotated[
            bool | None, Field(description="Only those a rerun can, or can't, begin with.")
        ] = None,
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Answer:
        """List Dag runs, the latest first, each with whether a rerun can begin with it, and why not."""
        page = await self._client.dag_runs(
            dag_id=dag_id,
            dag_id_pattern=dag_id_pattern,
            state=state,
            can_be_source=can_be_source,
            limit=limit,
            offset=offset,
        )
        return shortened(page, limit)

    async def list_reruns(
        self,
        state: Annotated[RerunState | None, Field(description="Only those in this state.")] = None,
        dag_id: Annotated[str | None, Field(description="Only those with a run of this Dag in them.")] = None,
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Answer:
        """List reruns, the latest first."""
        page = await self._client.reruns(state=state, dag_id=dag_id, limit=limit, offset=offset)
        return shortened(page, limit)

    async def plan(self, request: PlanBody, limit: Limit = 20) -> Answer:
        """Show which runs of other Dags have read what a run made, and what a rerun would select. Changes nothing.

        The answer has the runs with their default selection, the links between them with the evidence for each, and the
        warnings.
        """
        return shortened(await self._client.plan(request, task_instances=False), limit)

    async def review(self, request: RerunBody, limit: Limit = 20) -> Answer:
        """Show what a rerun would do, wave by wave, or why it would be refused whoever asks. Changes nothing."""
        return shortened(await self._client.review(as_proposal(request)), limit)

    async def propose(self, request: RerunBody, limit: Limit = 20) -> Answer:
        """Store a rerun as a proposal. No run is touched unless a person approves it. Review it first.

        The answer has its id and address, to be passed on to people, who may approve it, and when it expires. Follow it
        with watch.
        """
        # A key of this call's own: what the client sends twice makes one proposal.
        rerun = await self._client.submit(as_proposal(request), idempotency_key=f"agent-{uuid4()}")
        return shortened(
            {
                "rerun": rerun,
                "address": self._client.record_url(rerun.id),
                "who_may_approve": APPROVERS,
                "dag_ids": await self._dag_ids(rerun.id),
                "expires_at": rerun.expires_at,
            },
            limit,
        )

    async def _dag_ids(self, rerun_id: int) -> list[str] | None:
        try:
            return sorted({one.dag_id async for one in self._client.iter_members(rerun_id)})
        except ClientError:  # the proposal stands; an error would have the agent propose again
            return None

    async def explain_run(self, source: RunRefBody, run: RunRefBody, limit: Limit = 20) -> Answer:
        """Say why a run is, or isn't, in the plan of a source: its links with their evidence, its reason in words."""
        plan = await self._client.plan(PlanBody(source=source))
        found = next((one for one in plan.runs if (one.dag_id, one.run_id) == (run.dag_id, run.run_id)), None)
        return shortened(in_plan(plan, found, run), limit)

    async def explain_member(
        self,
        rerun_id: RerunId,
        member_id: Annotated[int, Field(ge=1, description="The id of a member, as watch answers it.")],
        limit: Limit = 20,
    ) -> Answer:
        """Say where a run of a rerun stands, why, and where those stand that it waits for."""
        members = (await self._client.members(rerun_id, member_id=[member_id])).members
        if not members:
            raise LookupError(f"Rerun {rerun_id} has no member {member_id} that you may read.")
        (member,) = members
        others = await self._awaited(member)
        word = member.cause.word if member.cause else None
        return shortened({"member": member, "meaning": meaning(word), "waits_for": others}, limit)

    async def _awaited(self, member: Member) -> list[Answer]:
        awaited = {(ref.dag_id, ref.run_id) for ref in member.waiting_on}
        found: list[Answer] = []
        async for one in self._client.iter_members(member.rerun_id):
            if len(found) == len(awaited):
                break
            if (one.dag_id, one.run_id) in awaited:
                found.append(one.model_dump(include={"id", "dag_id", "run_id", "state", "cause"}))
        return found

    async def explain_word(
        self, word: Annotated[str, Field(max_length=100, description="A reason, such as in_active_rerun.")]
    ) -> Answer:
        """Say in a sentence what a reason means that a plan or a record gives."""
        return {"word": word, "meaning": meaning(word)}

    async def watch(
        self,
        rerun_id: RerunId,
        since: Annotated[
            str | None, Field(description="The cursor of an earlier answer, for only what has changed since.")
        ] = None,
        limit: Limit = 20,
    ) -> Answer:
        """Show how a rerun stands: record, members, events, when it is expected to end, what delays it.

        Where "more" is true, ask again at once with the cursor; otherwise after "look_again_after" seconds.
        """
        changes = await self._client.changes(rerun_id, since=since, limit=limit)
        estimate = await self._client.estimate(rerun_id, limit=5)
        return shortened({**dict(changes), "estimate": estimate}, limit)


def as_proposal(request: RerunBody) -> RerunBody:
    """The request, to be approved by a person, whatever it says of that."""
    return request.model_copy(update={"propose": True})


def in_plan(plan: Plan, run: RunWithTasks | None, asked: Any) -> Answer:
    """What a plan says of a run."""
    if run is None:
        return {
            "in_plan": False,
            "meaning": REASONS["not_in_plan"],
            "warnings": [one for one in plan.warnings if one.dag_id in (None, asked.dag_id)],
            "hidden_dags": plan.hidden_dags,
        }
    tasks = run.task_instances or []
    return {
        "in_plan": True,
        "run": run.model_copy(update={"task_instances": None}),
        "meaning": meaning(run.reason),
        "links": [link for link in plan.links if leads_to(link, run)],
        "tasks": [{"task": one, "meaning": meaning(one.reason)} for one in tasks if one.selected or one.reason],
        "warnings": [one for one in plan.warnings if (one.dag_id, one.run_id) == (run.dag_id, run.run_id)],
    }


def leads_to(link: Link, run: RunWithTasks) -> bool:
    """Whether a run consumed what the link tells of."""
    return (link.downstream.dag_id, getattr(link.downstream, "run_id", None)) == (run.dag_id, run.run_id)


def meaning(word: str | None) -> str | None:
    """The sentence of a reason; None for none, and for one that this release doesn't know."""
    return None if word is None else REASONS.get(str(word))
