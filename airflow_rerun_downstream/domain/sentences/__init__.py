"""Every sentence of ours in English, by its code: the one table of which texts and the pages' English are made.

Another language is a folder of the pages (``ui/src/i18n/locales``) with the same codes and parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.advice import SENTENCES
from airflow_rerun_downstream.domain.reasons import REASONS
from airflow_rerun_downstream.domain.sentences.declaration_texts import DECLARATIONS
from airflow_rerun_downstream.domain.sentences.field_texts import FIELDS
from airflow_rerun_downstream.domain.sentences.health_texts import HEALTH
from airflow_rerun_downstream.domain.sentences.link_texts import LINKS
from airflow_rerun_downstream.domain.sentences.option_texts import OPTIONS
from airflow_rerun_downstream.domain.sentences.part_texts import PARTS
from airflow_rerun_downstream.domain.sentences.plural import Plural, Template
from airflow_rerun_downstream.domain.sentences.record_texts import RECORD
from airflow_rerun_downstream.domain.sentences.refusal_texts import REFUSALS
from airflow_rerun_downstream.domain.sentences.target_texts import TARGETS
from airflow_rerun_downstream.domain.sentences.template_texts import TEMPLATES
from airflow_rerun_downstream.domain.sentences.warning_texts import WARNINGS
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.words import CONDITIONS as TOLD_OF
from airflow_rerun_downstream.domain.words import DELIVERY_ERRORS, TEST

ACTIONS: Mapping[str, Template] = {
    **{each: each for each in ("approve", "reject", "pause", "resume", "terminate", "release", "retry", "skip")},
    "be_reviewed": "be reviewed",
}
"""What can't be done with a rerun."""

STATES: Mapping[str, Template] = {each.value: each.value for kind in (RerunState, MemberState) for each in kind}

CONDITIONS: Mapping[str, Template] = {each: each for each in (*TOLD_OF, TEST)}
"""What somebody was to be told of."""

BETWEEN: Mapping[str, Template] = {"sentences": "{first} {next}", "clauses": "{first}; {next}"}
"""How several are joined."""

GROUPS: Mapping[str, Mapping[str, Template]] = {
    "warning": WARNINGS,
    "refusal": REFUSALS,
    "health": HEALTH,
    "link": LINKS,
    "record": RECORD,
    "part": PARTS,
    "field": FIELDS,
    "option": OPTIONS,
    "declaration": DECLARATIONS,
    "target": TARGETS,
    "template": TEMPLATES,
    "action": ACTIONS,
    "between": BETWEEN,
    "state": STATES,
    "condition": CONDITIONS,
    "delivery": {each: each for each in DELIVERY_ERRORS},
    "reason": REASONS,
    "advice": {each.value: text for each, text in SENTENCES.items()},
}

TABLE: Mapping[str, Template] = {
    f"{group}.{name}": template for group, some in GROUPS.items() for name, template in some.items()
}

__all__ = ["GROUPS", "TABLE", "Plural", "Template"]
