"""The file of declared links: what it may say, and where it is wrong. Pure: text in, links and problems out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import yaml

from airflow_rerun_downstream.domain.definitions import DeclaredLink
from airflow_rerun_downstream.domain.plan import PlanWarning
from airflow_rerun_downstream.domain.refs import shown
from airflow_rerun_downstream.domain.sentence import Sentence, listed

SAME = "same"
CHOICE = ("within", "run_id", "conf")
"""What tells a run without a logical date."""

WITHIN = "P1D"
"""How long a run is looked for by its id or configuration, where nothing else is said."""

OFFSET = re.compile(
    r"^(?P<sign>[+-])?P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)


@dataclass(frozen=True)
class Declarations:
    """What a deployment declared. ``problems`` are sentences that begin with ``file:line``; the rest counts."""

    links: tuple[DeclaredLink, ...] = ()
    problems: tuple[str, ...] = ()

    def warnings(self) -> Iterable[PlanWarning]:
        """A plan isn't complete while part of the file can't be understood."""
        if self.problems:
            places = listed([place(problem) for problem in self.problems])
            yield PlanWarning("declared_links_invalid", Sentence("warning.declared_links_invalid", places=places))


def place(problem: str) -> str:
    """A problem's file and line without the folder, which is the server's own affair, and without its words."""
    where, _, _ = problem.partition(": ")
    return PurePath(where).name


def parse(text: str, file: str) -> Declarations:
    """The links of a file's text; ``file`` is its name in what is said."""
    reader = Reader(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error).splitlines()[0]
        return Declarations(problems=(f"{file}:{mark.line + 1 if mark else 1}: This is not YAML: {why}.",))
    except RecursionError:
        return Declarations(problems=(f"{file}:1: It is nested too deeply.",))
    if root is not None:
        reader.file_node(root)
    return Declarations(tuple(reader.links), tuple(reader.problems))


def read_offset(text: str) -> Mapping[str, float]:
    """An offset as the fields of a relativedelta. Raises ValueError."""
    if text == SAME:
        return {}
    match = OFFSET.match(text)
    if match is None:
        raise ValueError(f"{shown(text)!r} is neither {SAME!r} nor an ISO 8601 duration such as P1D, -PT1H or P1M")
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
    problems: list[str] = field(default_factory=list)

    def wrong(self, node: yaml.Node, why: str) -> Unreadable:
        """Note a problem at a node's line."""
        self.problems.append(f"{self.file}:{node.start_mark.line + 1}: {why}.")
        return Unreadable()

    def file_node(self, root: yaml.Node) -> None:
        """The whole file: ``links`` and a list."""
        try:
            listed = self.mapping(root, {"links"}, "the file").get("links")
            if listed is None or is_null(listed):
                return
            if not isinstance(listed, yaml.SequenceNode):
                raise self.wrong(listed, "links is not a list")
        except Unreadable:
            return
        for entry in listed.value:
            self.entry(entry)

    def entry(self, node: yaml.Node) -> None:
        """One link, or its problem."""
        try:
            found = self.mapping(node, {"upstream", "downstream", "offset", "reason", *CHOICE}, "a link")
            for name in ("upstream", "downstream"):
                if name not in found:
                    raise self.wrong(node, f"the link has no {name}")
            upstream, downstream = self.end(found["upstream"]), self.end(found["downstream"])
            text = self.text(found["offset"], "offset") if "offset" in found else SAME
            try:
                offset = read_offset(text)
            except ValueError as error:
                raise self.wrong(found["offset"], str(error)) from None
            if upstream[0] == downstream[0] and not offset:
                raise self.wrong(node, "the link joins a run to itself: give an offset, or another Dag")
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
                raise self.wrong(given, "conf is not a mapping of names to texts")
            conf = {self.text(key, "a name"): self.text(value, "a value") for key, value in given.value}
        text = self.text(found["within"], "within") if "within" in found else WITHIN
        try:
            within = read_offset(text)
        except ValueError as error:
            raise self.wrong(found["within"], str(error)) from None
        if not within or any(number < 0 for number in within.values()):
            raise self.wrong(found["within"], "within is no time after the upstream run")
        return {"within": within, "run_id": run_id, "conf": conf}

    def end(self, node: yaml.Node) -> tuple[str, str | None]:
        """One end of a link: the Dag and, if it is given, the task."""
        found = self.mapping(node, {"dag_id", "task_id"}, "upstream or downstream")
        if "dag_id" not in found:
            raise self.wrong(node, "there is no dag_id")
        task = self.text(found["task_id"], "task_id") if "task_id" in found else None
        return self.text(found["dag_id"], "dag_id"), task

    def mapping(self, node: yaml.Node, allowed: set[str], what: str) -> dict[str, yaml.Node]:
        """The values of a mapping by their keys, which are all of ``allowed`` and there once."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, f"{what} is not a mapping of {', '.join(sorted(allowed))}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            # A key that isn't a text may be of any size, once what its aliases stand for is written out.
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else None
            if name is None or name not in allowed:
                said = "a key" if name is None else repr(shown(name))
                raise self.wrong(key, f"{said} is none of {', '.join(sorted(allowed))}")
            if name in found:
                raise self.wrong(key, f"{name!r} is there twice")
            found[name] = value
        return found

    def text(self, node: yaml.Node, name: str) -> str:
        """A text that isn't empty."""
        if not isinstance(node, yaml.ScalarNode) or is_null(node) or not node.value.strip():
            raise self.wrong(node, f"{name} is not a text")
        return str(node.value)


def is_null(node: yaml.Node) -> bool:
    """Whether nothing was written."""
    return bool(node.tag == "tag:yaml.org,2002:null")
