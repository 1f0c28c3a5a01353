"""What is said to a person: English that remembers of what it was made, so that a page can say it in its own words.

A sentence is its code and its parameters; the English stands in `domain.sentences`, and is made in this one place. It
is a text wherever a text is wanted: in REST's ``detail``, on the command line, in the log. Whoever may be told the text
may be told the parameters: all of them stand in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache, reduce
from string import Formatter
from typing import Any, SupportsIndex

from airflow_rerun_downstream.domain.refs import RunRef, shown
from airflow_rerun_downstream.domain.sentences import TABLE, Plural

Param = str | int | datetime | Sequence[str]
"""A name, a number, a moment, several names. A text may be a sentence itself."""

MOMENTS = ("_at", "_date")
"""How the names of parameters end that are moments, and of no others."""

NAMED = 5
"""How many names a sentence lists."""


class Sentence(str):
    """A text, with the ``code`` of its template and the ``params`` that stand in it."""

    code: str
    params: Mapping[str, Param]

    def __new__(cls, code: str, /, **params: Param) -> Sentence:
        """The sentence of a code. Raises KeyError for an unknown one, or where a parameter is missing."""
        made = super().__new__(cls, english(code, params))
        made.code, made.params = code, params
        return made

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return made_of, (self.code, dict(self.params))

    def __deepcopy__(self, memo: object) -> Sentence:
        return self


def made_of(code: str, params: Mapping[str, Param]) -> Sentence:
    """A sentence of its two parts."""
    return Sentence(code, **params)


def english(code: str, params: Mapping[str, Param]) -> str:
    """The template with the parameters in it. Raises KeyError for a code that there isn't, or one parameter too few."""
    template = TABLE[code]
    if isinstance(template, Plural):
        template = template.one if params["count"] == 1 else template.other
    return template.format_map({name: in_english(value) for name, value in params.items()})


def in_english(value: Param) -> str | int:
    """A parameter in an English sentence."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, (str, int)):
        return value
    if not any(isinstance(each, Sentence) for each in value):
        return ", ".join(value)
    between = TABLE["between.sentences" if all(each.endswith((".", "?", "!")) for each in value) else "between.clauses"]
    return reduce(lambda first, each: str(between).format(first=first, next=each), value)


@cache
def params_of(code: str) -> frozenset[str]:
    """The names of a code's parameters."""
    template = TABLE[code]
    texts = (template.one, template.other) if isinstance(template, Plural) else (template,)
    names = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}
    return frozenset(names | {"count"} if isinstance(template, Plural) else names)


def quoted(name: str) -> str:
    """A name from a request, which may be anything, as a sentence takes it."""
    return repr(shown(name))


def clause(reason: str | None) -> str:
    """What a reason says, as part of a sentence; the word itself where there is nothing to say."""
    code = f"reason.{reason}"
    return Sentence(code) if code in TABLE else reason or ""


def task_of(ref: RunRef, task_id: str | None) -> str:
    """A task of a run, or the run."""
    return f"{ref}" if task_id is None else Sentence("part.task_of_run", task=shown(task_id), run=f"{ref}")


def runs_of(refs: Sequence[RunRef]) -> str:
    """The first of some runs, and how many more there are."""
    more = len(refs) - 1
    return Sentence("part.runs_and_more", run=f"{refs[0]}", count=more) if more else f"{refs[0]}"


def listed(names: Collection[str], most: int = NAMED) -> Param:
    """The first of some names, and how many more there are."""
    first, more = [sentence_in(each) or shown(each) for each in list(names)[:most]], len(names) - most
    return Sentence("part.and_more", names=first, count=more) if more > 0 else first


def sentence_in(text: object) -> Sentence | None:
    """A text, if it is a sentence of ours: not of a user, and not of a record from before there were any."""
    return text if isinstance(text, Sentence) else None


def to_json(sentence: Sentence) -> dict[str, Any]:
    """A sentence as its code and parameters, of what JSON has."""
    return {"code": sentence.code, "params": {name: param_to_json(value) for name, value in sentence.params.items()}}


def param_to_json(value: Param) -> Any:
    """One parameter; a moment in ISO 8601."""
    if isinstance(value, Sentence):
        return to_json(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, (str, int)) else [param_to_json(each) for each in value]


def with_parts(via: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was seen of a link, with the sentence that says why it isn't known also as its parts."""
    why = sentence_in(via.get("why"))
    return via if why is None else {**via, "sentence": to_json(why)}


def from_json(value: Any) -> Sentence | None:
    """The reverse of `to_json`. None: another version wrote it, which says it otherwise."""
    try:
        code, params = value["code"], value["params"]
        known = {name: param_from_json(name, each) for name, each in params.items()}
        return Sentence(code, **known) if known.keys() == params_of(code) else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def param_from_json(name: str, value: Any) -> Param:
    """One parameter. Raises TypeError or ValueError for what isn't one."""
    if isinstance(value, Mapping):
        if (nested := from_json(value)) is None:
            raise ValueError(name)
        return nested
    if isinstance(value, list):
        return [
            str(param_from_json("", each)) if not isinstance(each, Mapping) else nested_text(each) for each in value
        ]
    if isinstance(value, str):
        return datetime.fromisoformat(value) if name.endswith(MOMENTS) else value
    if isinstance(value, int):
        return value
    raise TypeError(name)


def nested_text(value: Mapping[str, Any]) -> str:
    """A sentence in a list."""
    if (nested := from_json(value)) is None:
        raise ValueError(value)
    return nested
