"""The same for several members at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from airflow_rerun_downstream.domain.errors import ActionNotAllowed, ChangedMeanwhile, InternalError, Refusal
from airflow_rerun_downstream.domain.rerun import Seen
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.service.control import Control, controllable
from airflow_rerun_downstream.service.views import MemberView, SeveralView


class Several(Control):
    """Each member is a transaction of its own: a refusal of one takes nothing of another back, and the rerun's row is
    never held for long. Who may not act on the rerun is refused as a whole."""

    def retry_members(self, actor: Actor, rerun_id: int, members: Mapping[int, Seen]) -> SeveralView:
        """`Control.retry` for each."""
        return self.each(actor, rerun_id, members, self.retry)

    def skip_members(self, actor: Actor, rerun_id: int, members: Mapping[int, Seen]) -> SeveralView:
        """`Control.skip` for each."""
        return self.each(actor, rerun_id, members, self.skip)

    def each(
        self,
        actor: Actor,
        rerun_id: int,
        members: Mapping[int, Seen],
        act: Callable[[Actor, int, int, Seen], MemberView],
    ) -> SeveralView:
        """Act on one after the other, each once; those that are refused are told with the reason.

        After an error nothing more is done; what was done before is answered all the same.
        """
        with self.unit_of_work() as work:
            controllable(actor, work, rerun_id)
        done: list[MemberView] = []
        refused: list[tuple[int, Refusal]] = []
        for member_id, seen in members.items():
            try:
                done.append(once_more(partial(act, actor, rerun_id, member_id, seen)))
            except Refusal as refusal:
                refused.append((member_id, refusal))
            except Exception as error:
                if not done:
                    raise
                about = {"rerun_id": rerun_id, "member_id": member_id, "actor": actor.name}
                self.telemetry.line("members_left", level=logging.ERROR, error=error, **about)
                left = list(members)[len(done) + len(refused) :]
                refused += [(each, InternalError(Sentence("refusal.internal_error"))) for each in left]
                break
        return SeveralView(tuple(done), tuple(refused))


def once_more(act: Callable[[], MemberView]) -> MemberView:
    """Look a second time before a member is refused for how it stands.

    The first action on a failed rerun sets it going, so the conductor moves it while the next ones are done. What the
    user saw is compared anew: what has really changed is refused again.
    """
    try:
        return act()
    except (ActionNotAllowed, ChangedMeanwhile):
        return act()
