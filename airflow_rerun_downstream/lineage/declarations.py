"""The file of declared links: what it may say, and where it is wrong. Pure: text in, links and problems out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import yaml

from airflow_rerun_downstream.domain.definitions import DeclaredLink
from airflow_rerun_downstream.domain.plan import PlanWarning
from airflow_rerun_downstream.domain.sentence import Sentence, listed, quoted

SAME = "same"
CHOICE = ("within", "run_id", "conf")
"""What tells a run without a logical date."""

LINK = frozenset({"upstream", "downstream", "offset", "reason", *CHOICE})
"""What a link may say."""

CONF_NAME, CONF_VALUE = Sentence("declaration.conf_name"), Sentence("declaration.conf_value")

WITHIN = "P1D"
"""How long a run is looked for by its id or configuration, where nothing else is said."""

OFFSET = re.compile(
    r"^(?P<sign>[+-])?P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)


@dataclass(frozen=True)
class Problem:
    """What is wrong at a line of a file."""

    file: str
    line: int
    why: Sentence

    @property
    def place(self) -> str:
        """File and line without the folder, which is the server's own affair."""
        return f"{PurePath(self.file).name}:{self.line}"

    def sentence(self) -> Sentence:
        """What is wrong, and where; the file as the deployment has named it."""
        return Sentence("part.error_at", place=f"{self.file}:{self.line}", error=self.why)


@dataclass(frozen=True)
class Declarations:
    """What a deployment declared. What has one of the ``problems`` doesn't count, the rest does."""

    links: tuple[DeclaredLink, ...] = ()
    problems: tuple[Problem, ...] = ()

    def warnings(self) -> Iterable[PlanWarning]:
        """A plan isn't complete while part of the file can't be understood."""
        if self.problems:
            places = listed([problem.place for problem in self.problems])
            yield PlanWarning("declared_links_invalid", Sentence("warning.declared_links_invalid", places=places))


def parse(text: str, file: str) -> Declarations:
    """The links of a file's text; ``file`` is its name in what is said."""
    reader = Reader(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark else 1
        return Declarations(problems=(Problem(file, line, Sentence("declaration.not_yaml", said=why)),))
    except RecursionError:
        return Declarations(problems=(Problem(file, 1, Sentence("declaration.too_deep")),))
    if root is not None:
        reader.file_node(root)
    return Declarations(tuple(reader.links), tuple(reader.problems))


def read_offset(text: str) -> Mapping[str, float]:
    """An offset as the fields of a relativedelta. Raises ValueError, with a sentence."""
    if text == SAME:
        return {}
    match = OFFSET.match(text)
    if match is None:
        raise ValueError(Sentence("declaration.not_an_offset", text=quoted(text)))
    values = match.groupdict()
    sign = -1 if values.pop("sign") == "-" else 1
    return {unit: sign * float(number) for unit, number in values.items() if number and int(number)}


class Unreadable(Exception):
    """An entry that can't be used; its problem has been noted."""


@dataclass
class Reader:
    """Reads the nodes of one file, and notes what is wrong with each line."""

    file: str
    links: list[DeclaredLink] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, node: yaml.Node, why: Sentence) -> Unreadable:
        """Note a problem at a node's line."""
        self.problems.append(Problem(self.file, node.start_mark.line + 1, why))
        return Unreadable()

    def file_node(self, root: yaml.Node) -> None:
        """The whole file: ``links`` and a list."""
        try:
            listed = self.mapping(root, {"links"}, Sentence("declaration.file")).get("links")
            if listed is None or is_null(listed):
                return
            if not isinstance(listed, yaml.SequenceNode):
                raise self.wrong(listed, Sentence("declaration.not_a_list"))
        except Unreadable:
            return
        for entry in listed.value:
            self.entry(entry)

    def entry(self, node: yaml.Node) -> None:
        """One link, or its problem."""
        try:
            found = self.mapping(node, LINK, Sentence("declaration.link"))
            for name in ("upstream", "downstream"):
                if name not in found:
                    raise self.wrong(node, Sentence("declaration.no_end", name=name))
            upstream, downstream = self.end(found["upstream"]), self.end(found["downstream"])
            text = self.text(found["offset"], "offset") if "offset" in found else SAME
            try:
                offset = read_offset(text)
            except ValueError as error:
                raise self.wrong(found["offset"], error.args[0]) from None
            if upstream[0] == downstream[0] and not offset:
                raise self.wrong(node, Sentence("declaration.to_itself"))
            reason = self.text(found["reason"], "reason") if "reason" in found else ""
            choice = self.choice(found)
        except Unreadable:
            return
        line = node.start_mark.line + 1
        self.links.append(DeclaredLink(*upstream, *downstream, offset, text, reason, self.file, line, **choice))

    def choice(self, found: Mapping[str, yaml.Node]) -> dict[str, Any]:
        """How a downstream run without a logical date is told."""
        if not any(name in found for name in CHOICE):
            return {}
        run_id = self.text(found["run_id"], "run_id") if "run_id" in found else None
        conf: dict[str, str] = {}
        if "conf" in found:
            given = found["conf"]
            if not isinstance(given, yaml.MappingNode) or not given.value:
                raise self.wrong(given, Sentence("declaration.conf_not_a_mapping"))
            conf = {self.text(key, CONF_NAME): self.text(value, CONF_VALUE) for key, value in given.value}
        text = self.text(found["within"], "within") if "within" in found else WITHIN
        try:
            within = read_offset(text)
        except ValueError as error:
            raise self.wrong(found["within"], error.args[0]) from None
        if not within or any(number < 0 for number in within.values()):
            raise self.wrong(found["within"], Sentence("declaration.not_after"))
        return {"within": within, "run_id": run_id, "conf": conf}

    def end(self, node: yaml.Node) -> tuple[str, str | None]:
        """One end of a link: the Dag and, if it is given, the task."""
        found = self.mapping(node, {"dag_id", "task_id"}, Sentence("declaration.end"))
        if "dag_id" not in found:
            raise self.wrong(node, Sentence("declaration.no_dag_id"))
        task = self.text(found["task_id"], "task_id") if "task_id" in found else None
        return self.text(found["dag_id"], "dag_id"), task

    def mapping(self, node: yaml.Node, allowed: Collection[str], what: Sentence) -> dict[str, yaml.Node]:
        """The values of a mapping by their keys, which are all of ``allowed`` and there once."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, Sentence("declaration.not_a_mapping", what=what, names=sorted(allowed)))
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            # A key that isn't a text may be of any size, once what its aliases stand for is written out.
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else None
            if name is None or name not in allowed:
                which = Sentence("declaration.key") if name is None else quoted(name)
                raise self.wrong(key, Sentence("declaration.none_of", name=which, names=sorted(allowed)))
            if name in found:
                raise self.wrong(key, Sentence("declaration.twice", name=quoted(name)))
            found[name] = value
        return found

    def text(self, node: yaml.Node, name: str) -> str:
        """A text that isn't empty."""
        if not isinstance(node, yaml.ScalarNode) or is_null(node) or not node.value.strip():
            raise self.wrong(node, Sentence("declaration.not_a_text", name=name))
        return str(node.value)


def is_null(node: yaml.Node) -> bool:
    """Whether nothing was written."""
    return bool(node.tag == "tag:yaml.org,2002:null")
