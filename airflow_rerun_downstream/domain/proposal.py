"""A rerun that was planned and not run: what was asked, until somebody approves or rejects it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_rerun_downstream.domain.rerun_request import RerunRequest

REJECTED, EXPIRED = "proposal_rejected", "proposal_expired"
"""Why a proposal was terminated."""


@dataclass(frozen=True)
class Proposal:
    """What was asked, and the token of the plan as it was then."""

    request: RerunRequest
    plan_token: str

    def approved_with(self, plan_token: str | None) -> RerunRequest:
        """The submit that an approval is; with another token, what has changed until that plan is accepted."""
        return replace(self.request, plan_token=plan_token or self.plan_token, propose=False)
