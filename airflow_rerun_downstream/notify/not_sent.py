"""Why a message didn't arrive: words of ours alone. What a server, a driver or a library says may hold a secret."""

from __future__ import annotations

from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.words import DELIVERY_ERRORS


class NotSent(Exception):
    """A try has failed. ``word`` is one of `words.DELIVERY_ERRORS`, perhaps with a number or a class after a colon."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word[:100]


def error_words(error: str) -> str:
    """Why it didn't arrive, as part of a sentence: a word of ours may have more behind it."""
    word, _, more = error.partition(":")
    if word not in DELIVERY_ERRORS:
        return error
    what = Sentence(f"delivery.{word}")
    return Sentence("part.with_more", what=what, more=more) if more else what
