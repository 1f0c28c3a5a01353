"""Words of the contract: the document lists them, and whatever else a record holds passes as it is."""

from __future__ import annotations

from airflow.utils.types import DagRunType

from airflow_rerun_downstream.domain.words import RUN_TYPES
from airflow_rerun_downstream.rest import plan_payloads, record_payloads


def test_the_document_lists_the_words() -> None:
    defined = record_payloads.Event.model_json_schema(mode="serialization")["$defs"]
    assert "member_dispatched" in defined["EventAction"]["enum"]
    assert "paused_by_user" in defined["CauseWord"]["enum"]


def test_a_word_of_another_release_passes() -> None:
    warning = plan_payloads.PlanWarning(code="told_once", detail="…")
    assert warning.model_dump(mode="json")["code"] == "told_once"
    assert f"{warning.code}, {warning.code!s}" == "told_once, told_once"


def test_every_run_type_of_airflow_is_listed() -> None:
    assert {each.value for each in DagRunType} <= set(RUN_TYPES)
