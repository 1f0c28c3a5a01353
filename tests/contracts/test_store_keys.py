"""Idempotency keys, as every `RerunStore` keeps them."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.idempotency import IdempotencyKey, KeyTaken, users_key
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.ports.store import RerunStore
from tests.contracts.test_store import NOW, Opened, opened, single

__all__ = ["opened"]

ANN = Actor("1", "ann")
KEY = IdempotencyKey.of(ANN, "nightly", "{}")


def test_a_key_leads_to_its_rerun(opened: Opened) -> None:
    with opened() as store:
        rerun_id = store.add(single("a"), now=NOW)
        assert store.kept_key(KEY.key) is None
        store.keep_key(KEY, rerun_id)
        assert store.kept_key(KEY.key) == (rerun_id, KEY.body)
    with opened() as store:
        assert store.kept_key(KEY.key) == (rerun_id, KEY.body)
        assert store.kept_key(IdempotencyKey.of(ANN, "other", "{}").key) is None


def test_one_rerun_comes_of_a_key(opened: Opened) -> None:
    with opened() as store:
        first = store.add(single("a"), now=NOW)
        store.keep_key(KEY, first)
    with pytest.raises(KeyTaken), opened() as store:
        store.keep_key(KEY, store.add(single("b"), now=NOW))
    with opened() as store:
        assert store.kept_key(KEY.key) == (first, KEY.body)
        assert store.get(first + 1) is None


def test_a_rerun_is_found_by_its_key(opened: Opened) -> None:
    with opened() as store:
        first, _ = (store.add(single(dag_id), now=NOW) for dag_id in "ab")
        store.keep_key(KEY, first)
        found, total = store.page(RerunFilter(idempotency_key=KEY.key))
        assert ([one.id for one in found], total) == ([first], 1)
        assert store.page(RerunFilter(idempotency_key=KEY.key, readable=frozenset("b")))[1] == 0
        assert store.page(RerunFilter(idempotency_key=users_key(ANN, "other")))[1] == 0


def test_what_was_rolled_back_has_kept_no_key(opened: Opened) -> None:
    taken = IdempotencyKey.of(ANN, "taken", "{}")
    with opened() as store:
        store.keep_key(taken, store.add(single("a"), now=NOW))

    def twice(store: RerunStore) -> None:
        rerun_id = store.add(single("b"), now=NOW)
        for key in (KEY, taken):
            store.keep_key(key, rerun_id)

    with pytest.raises(KeyTaken), opened() as store:
        twice(store)
    with opened() as store:
        assert store.kept_key(KEY.key) is None


def test_a_key_is_of_one_user() -> None:
    keys = {
        IdempotencyKey.of(actor, name, "{}").key
        for actor, name in [
            (ANN, "a"),
            (Actor("2", "ann"), "a"),
            (Actor("1", "ann"), "b"),
            (Actor("1a", "ann"), ""),
            (Actor("", "ann"), "a"),
            (Actor("", "bea"), "a"),
            (Actor("ann", "x"), "a"),
        ]
    }
    assert len(keys) == 7
    assert IdempotencyKey.of(Actor("1", "renamed"), "nightly", "{}") == KEY
    assert IdempotencyKey.of(ANN, "nightly", "[]").body != KEY.body
