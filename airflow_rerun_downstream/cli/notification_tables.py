"""Tables of notifications and of their targets."""

from __future__ import annotations

from airflow_rerun_downstream.cli.cells import Part, part, table
from airflow_rerun_downstream.rest import installation_payloads, record_payloads

TESTED = ("test", "by", "at", "tries", "next try", "ended", "error")


def notifications(of: record_payloads.Deliveries) -> list[Part]:
    """A page of what targets were told, or will be."""
    columns = ("at", "target", "condition", "times", "state", "tries", "next try", "ended", "error", "runs")
    rows = [
        (
            each.created_at,
            each.target,
            each.condition,
            each.occurrences,
            each.state,
            each.tries,
            each.next_try_at,
            each.ended_at,
            each.error,
            ", ".join(f"{one.dag_id} / {one.run_id}" for one in each.members),
        )
        for each in of.notifications
    ]
    return [table(f"Notifications{part(len(rows), of.total_entries)}", columns, rows)]


def tested(of: installation_payloads.SentTest | None) -> tuple[object, ...]:
    """A test in the cells of `TESTED`."""
    if of is None:
        return (None,) * len(TESTED)
    return of.state, of.created_by, of.created_at, of.tries, of.next_try_at, of.ended_at, of.error


def targets(of: installation_payloads.NotificationTargets) -> list[Part]:
    """Whom reruns may tell."""
    rows = [(each.name, each.kind, each.description, *tested(each.last_test)) for each in of.notification_targets]
    return [table("Notification targets", ("name", "kind", "description", *TESTED), rows)]


def one_test(of: installation_payloads.SentTest) -> list[Part]:
    """A test that is on its way."""
    return [
        table("Test", TESTED, [tested(of)]),
        "The process of the conductor sends it; `targets` shows how it went.",
    ]
