"""No English of ours stands in a sentence as a mere text, whatever a test is about: a page would show it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_rerun_downstream.domain.sentence import Param, Sentence, english

OTHERS_WORDS = "said"
"""The parameter in which stands what a library, a driver or the operating system says."""

LITTLE_WORDS = frozenset(
    [
        *("an", "the", "it", "its", "of", "to", "in", "by", "for", "from", "than", "that", "and", "or", "not"),
        *("no", "is", "isn't", "are", "aren't", "be", "has", "hasn't", "can't", "doesn't", "must", "may", "only"),
    ]
)
"""Of these English is made, and no name."""


@pytest.fixture(autouse=True, scope="module")
def no_english_in_parameters() -> Iterator[None]:
    """Whatever is said while tests run, our words in it are sentences themselves."""
    found: set[tuple[str, str, str]] = set()

    def noted(code: str, params: dict[str, Param]) -> str:
        found.update((code, name, text) for name, value in params.items() for text in english_in(name, value))
        return english(code, params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow_rerun_downstream.domain.sentence.english", noted)
        yield
    assert not found, f"English that no page can say otherwise: {sorted(found)}"


def english_in(name: str, value: Param) -> list[str]:
    """The texts of a parameter that are English, and no sentence of ours."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
    return [text for text in texts if name != OTHERS_WORDS and not isinstance(text, Sentence) and is_english(text)]


def is_english(text: str) -> bool:
    """Whether a text is words in English: several, and a little one among them. What somebody wrote is in quotes."""
    if text[:1] in ("'", '"'):
        return False
    words = text.lower().replace(",", " ").split()
    return len(words) > 1 and not LITTLE_WORDS.isdisjoint(words)
