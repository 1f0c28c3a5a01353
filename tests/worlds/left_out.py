"""What random worlds leave out for now, each with the reason. Every test over them prints this list."""

from __future__ import annotations

LEFT_OUT = {
    "sensor with a Dag from params": "names aren't rendered from params yet",
    "trigger with a templated Dag": "a forgotten target is listed by its template's text",
    "trigger with half its records": "a link without trigger_run_id isn't read yet",
    "forgotten parent that waited": "the parent of a child that it waited for is sought among the records only",
    "trigger that is gone": "a forgotten child of a trigger that is gone isn't told yet",
    "declared without dates": "a declared link finds no run without a logical date, and doesn't say so",
    "events through an alias cleaned": "a declared alias without an event isn't told",
    "behind an unresolved link": "what hangs on an unresolved Dag isn't listed yet",
}
