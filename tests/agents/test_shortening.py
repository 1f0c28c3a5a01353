from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.agents.shortening import LARGEST, LONGEST_TEXT, shortened

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=5), inner, max_size=5)
)


def test_lists_are_cut_at_every_depth_and_counted_by_name() -> None:
    found = shortened({"runs": [{"task_ids": ["a", "b", "c"]}, {"task_ids": ["d"]}, {}]}, 2)
    assert found == {
        "runs": [{"task_ids": ["a", "b"]}, {"task_ids": ["d"]}],
        "left_out": {"runs": 1, "runs.task_ids": 1},
    }


def test_long_texts_are_cut() -> None:
    found = shortened({"detail": "x" * (LONGEST_TEXT + 5)}, 10)
    assert len(found["detail"]) == LONGEST_TEXT + 1
    assert found["left_out"] == {"detail (characters)": 5}


def test_what_is_small_stays_as_it_is() -> None:
    assert shortened({"a": [1, 2], "b": {"c": "d"}}, 2) == {"a": [1, 2], "b": {"c": "d"}, "left_out": {}}


def test_no_answer_is_larger_than_the_largest() -> None:
    run = {"dag_id": "d" * 250, "run_id": "r" * 250, "via": {f"k{n}": "x" * 900 for n in range(30)}}
    found = shortened({"runs": [run] * 100, "links": [run] * 100}, 100)
    assert len(json.dumps(found)) <= LARGEST
    assert found["left_out"]["runs"] == 100 - len(found["runs"])


@given(st.dictionaries(st.text(min_size=1, max_size=5).filter(lambda name: name != "left_out"), VALUES, max_size=5))
def test_nothing_is_missing_that_is_not_counted(whole: dict[str, object]) -> None:
    found = shortened(whole, 3)
    left_out = found.pop("left_out")
    assert (found == whole) == (not left_out)
