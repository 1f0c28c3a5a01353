"""Whether a text contains another one, in any case, whatever signs that has and whatever the database is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    Element = FunctionElement[bool]
else:
    Element = FunctionElement  # SQLAlchemy 1.4 has no generic one

ESCAPE = "/"


class contains(Element):
    """A condition; of a column that has no value it isn't true."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Any, text: str) -> None:
        super().__init__(column, literal(f"%{like_pattern(text)}%"), literal(f"*{glob_pattern(text)}*"))


def like_pattern(text: str) -> str:
    """A text for ``LIKE``, in which no sign stands for others."""
    return "".join(f"{ESCAPE}{sign}" if sign in (ESCAPE, "%", "_") else sign for sign in text)


def glob_pattern(text: str) -> str:
    """A text for ``GLOB``, in which each letter is itself in either case, and no sign stands for others."""
    return "".join(either_case(sign) for sign in text)


def either_case(sign: str) -> str:
    """A sign as ``GLOB`` has it."""
    cases = dict.fromkeys(case for case in (sign, sign.lower(), sign.upper()) if len(case) == 1)
    return f"[{''.join(cases)}]" if len(cases) > 1 or sign in "*?[" else sign


@compiles(contains)
def in_lower_case(element: contains, compiler: Any, **options: Any) -> str:
    """What every database knows."""
    column, like, _ = element.clauses
    left, right = compiler.process(column, **options), compiler.process(like, **options)
    return f"(LOWER({left}) LIKE LOWER({right}) ESCAPE '{ESCAPE}')"


@compiles(contains, "sqlite")
def by_glob(element: contains, compiler: Any, **options: Any) -> str:
    """SQLite's ``LOWER`` and ``LIKE`` know the cases of ASCII alone."""
    column, _, glob = element.clauses
    return f"({compiler.process(column, **options)} GLOB {compiler.process(glob, **options)})"
