"""Airflow's trigger rules: what becomes of a task whose upstream task instances are in some states.

Written after ``TriggerRuleDep`` of Airflow 3.3, which counts the same states in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

WAIT, RUN, SKIPPED, UPSTREAM_FAILED, REMOVED = "wait", "run", "skipped", "upstream_failed", "removed"

DONE = frozenset({"success", "skipped", "failed", "upstream_failed", "removed"})

EAGER = frozenset({"one_success", "one_failed", "one_done", "always"})
"""Rules by which a task doesn't wait for all that comes right before it."""

State = str | None


def of_setups(states: Sequence[State], *, mapped: bool) -> str:
    """What the setups further up make of a task, whatever its rule."""
    seen = Counter(states)
    if seen["upstream_failed"] or seen["failed"]:
        return UPSTREAM_FAILED
    if seen["skipped"]:
        return SKIPPED
    missing = len(states) - seen["success"] - (seen["removed"] if mapped else 0)
    return WAIT if missing else RUN


def of_rule(rule: str, states: Sequence[State], *, index: int = -1, setups: Sequence[State] = ()) -> str:
    """What the task instances right before a task make of it. ``setups``: those of them that are setups."""
    if not states or rule == "always":
        return RUN
    if rule == "all_done_setup_success":
        return of_teardown(states, setups)
    seen: Counter[State] = Counter(state for state in states if state in DONE)
    if (decided := settled(rule, seen, len(states), index)) is not None:
        return decided
    return RUN if is_met(rule, seen, len(states)) else WAIT


def of_teardown(states: Sequence[State], setups: Sequence[State]) -> str:
    """The rule of teardowns: everything before has ended, and a setup has succeeded."""
    if not all_done(states):
        return WAIT
    if setups and set(setups) == {"skipped"}:
        return SKIPPED
    return UPSTREAM_FAILED if setups and "success" not in setups else RUN


def settled(rule: str, seen: Counter[State], count: int, index: int) -> str | None:
    """The state that Airflow gives a task which its rule won't let run any more; None: it may still run."""
    failed, success, skipped = seen["failed"] + seen["upstream_failed"], seen["success"], seen["skipped"]
    done = sum(seen.values()) >= count
    match rule:
        case "all_success":
            if failed or skipped:
                return UPSTREAM_FAILED if failed else SKIPPED
            return REMOVED if seen["removed"] and success and index > -1 and index >= success else None
        case "all_failed":
            return SKIPPED if success or skipped else None
        case "one_success":
            return (SKIPPED if sum(seen.values()) == skipped else UPSTREAM_FAILED) if done and not success else None
        case "one_failed":
            return SKIPPED if done and not failed else None
        case "one_done":
            return SKIPPED if done and not (seen["failed"] or success) else None
        case "none_failed":
            return UPSTREAM_FAILED if failed else None
        case "none_failed_min_one_success":
            if failed:
                return UPSTREAM_FAILED
            return SKIPPED if skipped == count else UPSTREAM_FAILED if done and not success else None
        case "none_skipped":
            return SKIPPED if skipped else None
        case "all_skipped":
            return SKIPPED if success or failed else None
        case "all_done_min_one_success":
            return SKIPPED if skipped else UPSTREAM_FAILED if done and not success else None
    return None


def is_met(rule: str, seen: Counter[State], count: int) -> bool:
    """Whether the task may run now."""
    done = sum(seen.values()) >= count
    match rule:
        case "one_success":
            return seen["success"] > 0
        case "one_failed":
            return seen["failed"] + seen["upstream_failed"] > 0
        case "one_done":
            return seen["success"] + seen["failed"] > 0
        case "all_success":
            return count == seen["success"] + seen["removed"]
        case "all_failed":
            return count == seen["failed"] + seen["upstream_failed"] + seen["removed"]
        case "all_skipped":
            return count == seen["skipped"]
        case "none_failed" | "none_failed_min_one_success":
            least = rule == "none_failed" or seen["success"] > 0
            return least and count == seen["success"] + seen["skipped"] + seen["removed"]
        case "none_skipped":
            return done and not seen["skipped"]
        case "all_done_min_one_success":
            return done and not seen["skipped"] and seen["success"] > 0
    assert rule == "all_done", rule
    return done


def all_done(states: Collection[State]) -> bool:
    """Whether task instances have ended, however."""
    return set(states) <= DONE
