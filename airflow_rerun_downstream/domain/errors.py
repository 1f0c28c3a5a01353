"""Why something was refused.

Every refusal is one of these classes; the web, the command line and the client translate them once.

    Refusal
    ├── Invalid                 the request can't be understood            422 invalid
    │   ├── EmptySelection      nothing was selected                       422 empty_selection
    │   ├── UnknownTarget       a notification target isn't configured     422 unknown_target
    │   └── IdempotencyKeyReused the key was used for another request      422 idempotency_key_reused
    ├── Forbidden               permissions are missing on some Dags       403 forbidden_dags
    ├── NotAllowed              something that isn't about a Dag            403 forbidden
    ├── NotFound                unknown, or not readable                   404 not_found
    ├── InternalError           an error of ours                           500 internal_error
    └── Conflict                the world is not in the state it takes     409
        ├── StalePlan           …changed since the preview                     stale_plan
        ├── RunInActiveRerun    …a run belongs to another active rerun         run_in_active_rerun
        ├── NotSelectable       …a run can't be taken                          not_selectable
        ├── SourceNotEligible   …a run can't be a source                       source_not_eligible
        ├── AssetManagerInactive …duplicates can't be prevented                asset_manager_inactive
        ├── OffsetUnknown       …which runs a sensor read can't be known       offset_unknown
        ├── FreezeUnavailable   …a run can't be held                           freeze_unavailable
        ├── ActionNotAllowed    …this action, in this state                    action_not_allowed
        ├── ChangedMeanwhile    …it isn't any more what the user saw           changed_meanwhile
        └── PlanTooLarge        …more runs than the limit                      plan_too_large

Beside them stand two that never leave the inside, `CannotDispatch` and `CannotFreeze`: what Airflow's rows don't allow
at the moment. Whoever has asked makes a reason, or a refusal, of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from airflow_rerun_downstream.domain.sentence import Sentence


class Refusal(Exception):
    """A request that was understood, or wasn't, and was not carried out. Nothing has changed.

    ``detail`` is for a person; ``reason`` a word for a program; ``extra`` further fields of the answer.
    """

    reason: ClassVar[str] = "refused"
    status: ClassVar[int] = 400

    def __init__(self, detail: Sentence, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = self.sentence = detail
        self.extra: Mapping[str, Any] = extra


class Invalid(Refusal):
    """The request's words can't be understood."""

    reason = "invalid"
    status = 422


class EmptySelection(Invalid):
    """An explicit selection with nothing in it."""

    reason = "empty_selection"


class UnknownTarget(Invalid):
    """A notification target that the deployment hasn't configured."""

    reason = "unknown_target"


class IdempotencyKeyReused(Invalid):
    """The user has given the same idempotency key to another request."""

    reason = "idempotency_key_reused"


class Forbidden(Refusal):
    """The user may not rerun some of the Dags; ``extra["dag_ids"]`` names the readable ones."""

    reason = "forbidden_dags"
    status = 403


class NotAllowed(Refusal):
    """The user may not do something that isn't about a Dag."""

    reason = "forbidden"
    status = 403


class NotFound(Refusal):
    """Unknown, or known but not readable: the answer is the same."""

    reason = "not_found"
    status = 404


class Conflict(Refusal):
    """The request is sound, but not now."""

    reason = "conflict"
    status = 409


class StalePlan(Conflict):
    """The runs changed since the preview; ``extra["changes"]`` says how."""

    reason = "stale_plan"


class RunInActiveRerun(Conflict):
    """A run belongs to another active rerun."""

    reason = "run_in_active_rerun"


class NotSelectable(Conflict):
    """A run can't be taken into the rerun; ``extra["runs"]`` says which and why."""

    reason = "not_selectable"


class SourceNotEligible(Conflict):
    """The run can't be the source of a rerun."""

    reason = "source_not_eligible"


class AssetManagerInactive(Conflict):
    """Rerunning would start duplicate runs, because the asset manager isn't active."""

    reason = "asset_manager_inactive"


class OffsetUnknown(Conflict):
    """Runs may be missing: how far back some sensors look isn't known. ``extra["sensors"]`` says which."""

    reason = "offset_unknown"


class FreezeUnavailable(Conflict):
    """A run can't be held."""

    reason = "freeze_unavailable"


class ActionNotAllowed(Conflict):
    """The rerun or member is in a state that doesn't allow the action."""

    reason = "action_not_allowed"


class ChangedMeanwhile(Conflict):
    """What the action is about isn't any more as the user saw it; ``extra["meanwhile"]`` says what has happened."""

    reason = "changed_meanwhile"


class PlanTooLarge(Conflict):
    """More downstream runs than the limit; ``extra["found"]`` tells how many were seen."""

    reason = "plan_too_large"


class SchemaMismatch(Refusal):
    """The package's tables are missing, older or newer than the code."""

    reason = "database_not_migrated"
    status = 503


class InternalError(Refusal):
    """An error of ours; what happened is in the server's log."""

    reason = "internal_error"
    status = 500


class TablesInUse(Conflict):
    """Something of ours would be lost with the tables: a frozen run, parked events, a rerun that isn't over."""

    reason = "tables_in_use"


class UnsupportedAirflow(Refusal):
    """This Airflow's minor version isn't one that the package knows; nothing of it works there."""

    reason = "unsupported_airflow"
    status = 503


class CannotDispatch(Exception):
    """The run can't be cleared now. ``reason`` is a word; ``gone`` says that waiting won't help."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone


class CannotFreeze(Exception):
    """A run can't be frozen; ``reason`` is a word of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
