"""Reckons what stands between ``{{`` and ``}}`` of a Dag author's text, as far as a date or a name needs it.

Jinja reads the text; nothing is compiled or run. What isn't listed here isn't reckoned: no loop, no power, no text
that grows with a number. So a text costs little whatever it says, in a process that others depend on.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time, timedelta, tzinfo
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from dateutil.relativedelta import relativedelta
from jinja2 import Environment, nodes

from airflow_rerun_downstream.domain.definitions import MAX_LENGTH, TOO_LONG
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.macros import (
    FIELDS,
    FILTERS,
    METHODS,
    OWN_METHODS,
    CannotRender,
    Given,
    Value,
    not_reckoned,
    of_error,
)

JINJA = Environment(autoescape=False)
MAX_NODES, MAX_DEPTH = 200, 40
"""How many parts a template may have, and how deep they may stand in one another."""

MAX_TEXT = 500
"""Longest text that may come out, also in between."""

MAX_NUMBER = 10**13
"""Largest number, either way: milliseconds since 1970 are smaller."""

PLAIN = (str, int, float, date, time, timedelta, relativedelta, tzinfo, type(None))


def evaluated(text: str, context: Mapping[str, Value]) -> str:
    """A text with its expressions filled in. Raises `CannotRender`, whatever the text is."""
    found = read(text)
    if isinstance(found, Sentence):
        raise CannotRender(found)
    try:
        return str(checked("".join(map(str, Reckoning(context).output(found)))))
    except CannotRender:
        raise
    except Exception as error:  # it may divide by zero, or leave the calendar
        raise CannotRender(of_error(error)) from None


@lru_cache(maxsize=128)
def read(text: str) -> nodes.Template | Sentence:
    """A text taken apart; or why that isn't possible."""
    if len(text) > MAX_LENGTH or text == TOO_LONG:
        return Sentence("template.too_long", limit=MAX_LENGTH)
    try:
        found = JINJA.parse(text)
    except Exception as error:  # an author's typing error, or too many brackets
        return of_error(error)
    waiting: list[tuple[nodes.Node, int]] = [(found, 0)]
    for _ in range(MAX_NODES):
        if not waiting:
            return found
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            break
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]
    return Sentence("template.too_many_parts", limit=MAX_NODES, depth=MAX_DEPTH)


def names_in(text: str) -> frozenset[str] | None:
    """The names that a text is made from; None: it can't be read."""
    found = read(text)
    return None if isinstance(found, Sentence) else frozenset(node.name for node in found.find_all(nodes.Name))


def checked(value: Value) -> Value:
    """A value that is small enough to go on with."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise not_reckoned("template.long_text", limit=MAX_TEXT)
    if isinstance(value, (int, float)) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise not_reckoned("template.large_number", limit=MAX_NUMBER)
    if not isinstance(value, (*PLAIN, SimpleNamespace, Given)):
        raise not_reckoned("template.of_type", name=type(value).__name__)
    return value


Operation = Callable[[Any, Any], Any]
SUMS: Mapping[type[nodes.BinExpr], Operation] = {nodes.Add: operator.add, nodes.Sub: operator.sub}
PRODUCTS: Mapping[type[nodes.BinExpr], Operation] = {
    nodes.Mul: operator.mul,
    nodes.Div: operator.truediv,
    nodes.FloorDiv: operator.floordiv,
    nodes.Mod: operator.mod,
}
SIGNS: Mapping[type[nodes.UnaryExpr], Callable[[Any], Any]] = {
    nodes.Neg: operator.neg,
    nodes.Pos: operator.pos,
    nodes.Not: operator.not_,
}
COMPARISONS: Mapping[str, Operation] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
FACTORS = (int, float, timedelta)


class Reckoning:
    """The value of each kind of expression; a kind without a method here has none."""

    def __init__(self, context: Mapping[str, Value]) -> None:
        self.context = context

    def output(self, template: nodes.Template) -> Iterator[Value]:
        """The parts of a text, one after the other."""
        for node in template.body:
            if not isinstance(node, nodes.Output):
                raise not_reckoned("template.statement", example="{% %}")
            for part in node.nodes:
                yield part.data if isinstance(part, nodes.TemplateData) else self.plain(part)

    def plain(self, node: nodes.Node) -> Value:
        """What an expression comes to that isn't a namespace."""
        found = self.value(node)
        if not isinstance(found, PLAIN):
            raise not_reckoned("template.bare_name")
        return found

    def value(self, node: nodes.Node) -> Value:
        """What an expression comes to."""
        if isinstance(node, nodes.BinExpr):
            return checked(self.combined(node))
        if isinstance(node, (nodes.Neg, nodes.Pos, nodes.Not)):
            return checked(SIGNS[type(node)](self.value(node.node)))
        found = getattr(self, f"of_{type(node).__name__.lower()}", None)
        if found is None:
            raise not_reckoned("template.expression", name=type(node).__name__)
        return checked(found(node))

    def combined(self, node: nodes.BinExpr) -> Value:
        """Sums of anything, products of numbers, and what is decided by the left side alone."""
        left = self.value(node.left)
        if isinstance(node, nodes.And):
            return left and self.value(node.right)
        if isinstance(node, nodes.Or):
            return left or self.value(node.right)
        right = self.value(node.right)
        if (plus := SUMS.get(type(node))) is not None:
            return plus(left, right)
        times = PRODUCTS.get(type(node))
        if times is None or not isinstance(left, FACTORS) or not isinstance(right, FACTORS):
            raise not_reckoned("template.operator", name=repr(node.operator))
        return times(left, right)

    def of_const(self, node: nodes.Const) -> Value:
        """A number or a text."""
        return node.value

    def of_name(self, node: nodes.Name) -> Value:
        """One of the names that a run has."""
        if node.name not in self.context:
            raise CannotRender(Sentence("template.running_task_only", name=repr(node.name)))
        return self.context[node.name]

    def of_concat(self, node: nodes.Concat) -> str:
        """Texts one after the other."""
        return "".join(str(self.plain(each)) for each in node.nodes)

    def of_condexpr(self, node: nodes.CondExpr) -> Value:
        """One value or another."""
        if self.value(node.test):
            return self.value(node.expr1)
        if node.expr2 is None:
            raise not_reckoned("template.no_else")
        return self.value(node.expr2)

    def of_compare(self, node: nodes.Compare) -> bool:
        """Whether values stand in an order."""
        left = self.value(node.expr)
        for operand in node.ops:
            if operand.op not in COMPARISONS:
                raise not_reckoned("template.compare", name=repr(operand.op))
            right = self.value(operand.expr)
            if not COMPARISONS[operand.op](left, right):
                return False
            left = right
        return True

    def of_getitem(self, node: nodes.Getitem) -> Value:
        """A part of a text, or one of the values that the run was given."""
        text = self.value(node.node)
        if isinstance(text, Given) and not isinstance(node.arg, nodes.Slice):
            return text.under(self.value(node.arg))
        if not isinstance(text, str):
            raise not_reckoned("template.index")
        if not isinstance(node.arg, nodes.Slice):
            return text[self.value(node.arg)]
        ends = (node.arg.start, node.arg.stop, node.arg.step)
        return text[slice(*(None if end is None else self.value(end) for end in ends))]

    def of_getattr(self, node: nodes.Getattr) -> Value:
        """A field of a date, or what the context has under a name."""
        owner = self.value(node.node)
        if isinstance(owner, Given):
            return owner.attribute(node.attr)
        if isinstance(owner, SimpleNamespace):
            if node.attr not in vars(owner):
                raise CannotRender(Sentence("template.running_task_only", name=repr(node.attr)))
            return vars(owner)[node.attr]
        if any(isinstance(owner, kind) and node.attr in names for kind, names in FIELDS):
            return getattr(owner, node.attr)
        raise not_reckoned("template.attribute", name=repr(node.attr))

    def of_filter(self, node: nodes.Filter) -> Value:
        """A value through one of `FILTERS`."""
        if node.name not in FILTERS or node.node is None:
            raise not_reckoned("template.filter", name=repr(node.name))
        given, named = self.arguments(node)
        return FILTERS[node.name](self.plain(node.node), *given, **named)

    def of_call(self, node: nodes.Call) -> Value:
        """A macro, or a method of a value."""
        given, named = self.arguments(node)
        return self.function(node.node)(*given, **named)

    def function(self, node: nodes.Node) -> Callable[..., Value]:
        """What is called."""
        if not isinstance(node, nodes.Getattr):
            raise not_reckoned("template.call")
        owner, name = self.value(node.node), node.attr
        if isinstance(owner, Given):
            if name == "get":
                return owner.get
        elif isinstance(owner, SimpleNamespace):
            found = vars(owner).get(name)
            found = vars(found).get("__call__") if isinstance(found, SimpleNamespace) else found
            if callable(found):
                return found  # type: ignore[no-any-return]
        elif isinstance(owner, date) and name in OWN_METHODS:
            return lambda *given: OWN_METHODS[name](owner, *given)
        elif any(isinstance(owner, kind) and name in names for kind, names in METHODS):
            return getattr(owner, name)  # type: ignore[no-any-return]
        raise not_reckoned("template.method", name=repr(name))

    def arguments(self, node: nodes.Call | nodes.Filter) -> tuple[list[Value], dict[str, Value]]:
        """What a call is given."""
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise not_reckoned("template.starred")
        return [self.plain(each) for each in node.args], {str(each.key): self.plain(each.value) for each in node.kwargs}
