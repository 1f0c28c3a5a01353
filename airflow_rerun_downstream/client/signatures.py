"""Methods that are made of the functions in `calls`: they have their names, sentences and arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def asking(describe: Callable[..., Any], method: Method) -> Method:
    """The method that makes the call of ``describe``, for `help` and `inspect`."""
    return named(describe, method, describe.__name__, describe.__doc__)


def iterating(describe: Callable[..., Any], method: Method) -> Method:
    """The method that reads the list of which ``describe`` asks for a page."""
    name = describe.__name__
    return named(describe, method, f"iter_{name}", f"Every entry of `{name}`, or ``limit``, page after page.")


def named(describe: Callable[..., Any], method: Method, name: str, sentence: str | None) -> Method:
    """The method with a name, a sentence and, after itself, the arguments of a function."""
    functools.update_wrapper(method, describe)
    method.__name__, method.__doc__ = name, sentence
    said = inspect.signature(describe)
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = said.replace(parameters=[itself, *said.parameters.values()], return_annotation=inspect.Signature.empty)
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method
