"""The arguments of a serialized task, mapped or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_rerun_downstream.domain.definitions import MAX_LENGTH, TOO_LONG
from airflow_rerun_downstream.domain.values import UNTOLD, Params, Value

UNKNOWN = "{{ mapped }}"
"""Stands for a value that differs from one map index to the next and isn't written in the Dag: a template too."""

MAX_VALUES = 1_000
"""How many different texts of one argument are told apart; of more, none is known."""

MAX_INDEXES = 100
"""Of how many map indexes the arguments are told apart."""

MAX_PARAMS = 100
"""How many params of a task are kept; of more, none is known."""

OF_A_GROUP = "MappedArgument("
"""What a text has in it where Airflow has written down an argument of a mapped task group: no value, but its name."""


def plain(value: Any) -> Any:
    """A serialized value without its envelopes, nested ones included."""
    if isinstance(value, Mapping):
        if "__var" in value:
            return plain(value["__var"])
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def expansion(data: Mapping[str, Any]) -> Mapping[str, Any] | list[Any] | None:
    """What a mapped task is expanded over: lists by argument, or a list of arguments; None if a task makes it."""
    given = data.get(str(data.get("_expand_input_attr") or "expand_input")) or {}
    value = plain(given.get("value"))
    if given.get("type") == "dict-of-lists":
        return value if isinstance(value, Mapping) else None
    return value if isinstance(value, list) else None


class Task:
    """A serialized task. ``default_args`` are those of its Dag, which Airflow gives to a mapped task at run time.

    ``dag_params`` are those of its Dag, serialized; ``native``: its Dag makes Python objects of templates.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        default_args: Mapping[str, Any],
        *,
        dag_params: Any = None,
        native: bool = False,
    ) -> None:
        self.data = data
        self._dag_params = dag_params
        self._native = native
        self.task_id = str(data["task_id"])
        self.mapped = bool(data.get("_is_mapped"))
        self.operator = str(data.get("task_type") or data.get("_task_type") or "")
        self.followers: list[str] = plain(data.get("downstream_task_ids")) or []
        self.template_fields = frozenset(plain(data.get("template_fields")) or ())
        self._given = {**default_args, **(plain(data.get("partial_kwargs")) or {})} if self.mapped else plain(data)
        self._expanded = expansion(data) if self.mapped else None

    def entries(self, name: str) -> list[Mapping[str, Any]]:
        """The members of a list that is the same for all map indexes, in their envelopes."""
        given = self.data.get("partial_kwargs") if self.mapped else self.data
        inside = given.get("__var", given) if isinstance(given, Mapping) else {}
        found = inside.get(name) or []
        listed = found.get("__var", []) if isinstance(found, Mapping) else found
        return [each for each in listed if isinstance(each, Mapping)]

    def get(self, name: str) -> Any:
        """An argument that is the same for all map indexes; None if it wasn't given."""
        return self._given.get(name)

    def has(self, name: str) -> bool:
        """Whether an argument was given, as a value or as something to be expanded over."""
        if isinstance(self._expanded, Mapping) and name in self._expanded:
            return True
        if isinstance(self._expanded, list):
            return any(isinstance(each, Mapping) and name in each for each in self._expanded)
        return self.get(name) is not None

    def varies(self, name: str) -> bool:
        """Whether the argument may differ from one map index to the next."""
        if isinstance(self._expanded, Mapping):
            return name in self._expanded
        if isinstance(self._expanded, list):
            return any(not isinstance(each, Mapping) or name in each for each in self._expanded)
        return self.mapped and self._given.get(name) is None

    def values(self, name: str) -> list[Any]:
        """The values that an argument has over the map indexes, in the Dag's own words; `UNKNOWN` among them."""
        if not self.varies(name):
            return [] if self.get(name) is None else [self.get(name)]
        if isinstance(self._expanded, Mapping):
            several = self._expanded[name]
            return list(several) if isinstance(several, list) else [UNKNOWN]
        if isinstance(self._expanded, list):
            return [each.get(name, self.get(name)) if isinstance(each, Mapping) else UNKNOWN for each in self._expanded]
        return [UNKNOWN]

    def texts(self, name: str) -> list[str]:
        """`values` as texts, each once, in their order; lists are taken apart."""
        return texts_of(self.values(name))

    @property
    def params(self) -> Params | None:
        """The params of all map indexes, with their defaults; None: they differ, or templates aren't filled in as text.

        The task's own come before the Dag's, as in Airflow.
        """
        of_indexes = self._expanded if isinstance(self._expanded, list) else [self._expanded]
        if self._native or (
            self.mapped and any(not isinstance(each, Mapping) or "params" in each for each in of_indexes)
        ):
            return None
        found = dict(params_of(self._dag_params)) | dict(params_of(self.data.get("params")))
        return tuple(found.items()) if len(found) <= MAX_PARAMS else None

    def by_index(self) -> list[Mapping[str, Any]] | None:
        """The arguments of each map index, where the Dag's text tells them; None: it doesn't, or of too many.

        The order of several lists isn't kept in every serialized Dag, so that only one may have more than one value.
        """
        if isinstance(self._expanded, Mapping):
            lists = self._expanded
            if any(not isinstance(each, list) or not each for each in lists.values()):
                return None
            longest = max((len(each) for each in lists.values()), default=0)
            if longest > MAX_INDEXES or sum(len(each) > 1 for each in lists.values()) > 1:
                return None
            one_each = [{name: each[min(n, len(each) - 1)] for name, each in lists.items()} for n in range(longest)]
            return [{**self._given, **each} for each in one_each]
        if self._expanded is None or len(self._expanded) > MAX_INDEXES:
            return None
        if any(not isinstance(each, Mapping) for each in self._expanded):
            return None
        return [{**self._given, **each} for each in self._expanded]


def params_of(serialized: Any) -> Iterable[tuple[str, Value]]:
    """Serialized params by their names; one without a default isn't among them."""
    for each in serialized if isinstance(serialized, (list, tuple)) else ():
        name, param = each if isinstance(each, (list, tuple)) and len(each) == 2 else (None, None)
        if isinstance(name, str) and isinstance(param, Mapping):
            default = param.get("default")
            if not (isinstance(default, Mapping) and default.get("__type") == "arg_not_set"):
                yield name, value_of(default)


def value_of(value: Any) -> Value:
    """A value as a template may use it."""
    if isinstance(value, str) and len(value) > MAX_LENGTH:
        return UNTOLD
    return value if value is None or isinstance(value, (str, int, float)) else UNTOLD


def texts_of(values: Iterable[Any]) -> list[str]:
    """Values as texts, each once, in their order; lists are taken apart."""
    found: dict[str, None] = {}
    for value in values:
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                found[text_of(each)] = None
    return list(found) if len(found) <= MAX_VALUES else [UNKNOWN]


def text_of(value: Any) -> str:
    """A value that should be a text."""
    if not isinstance(value, str) or OF_A_GROUP in value:
        return UNKNOWN
    return value if len(value) <= MAX_LENGTH else TOO_LONG
