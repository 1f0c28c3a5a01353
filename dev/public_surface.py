"""What others build on, a line for each promise: REST, command line, tables, configuration, names to import.

`python -m dev.public_surface tests/dev/public_surface.txt` writes the lines down. Do that when something was added; a
line that is gone or reads otherwise breaks somebody's program, and `tests/dev/test_public_surface.py` says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import postgresql

from airflow_rerun_downstream.cli.main import parser
from airflow_rerun_downstream.provider_info import OPTIONS
from airflow_rerun_downstream.store.tables import metadata

ROOT = Path(__file__).resolve().parents[1]
PUBLIC_MODULES = (
    "airflow_rerun_downstream",
    "airflow_rerun_downstream.client",
    "airflow_rerun_downstream.client.contract",
)
"""Modules that others import; Airflow's doors stand in `pyproject.toml`."""


def surface() -> list[str]:
    """Every promise, in order."""
    document = json.loads((ROOT / "ui" / "openapi.json").read_text(encoding="utf-8"))
    return sorted({*rest_calls(document), *rest_schemas(document), *commands(), *tables(), *options(), *names()})


def rest_calls(document: dict[str, Any]) -> Iterator[str]:
    """The calls, their parameters, bodies and answers."""
    schemas = document["components"]["schemas"]
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            here = f"REST {method.upper()} {path}"
            yield f"{here} is {call['operationId']}"
            for each in call.get("parameters", ()):
                need = " required" if each.get("required") else ""
                yield f"{here} takes {each['in']} {each['name']}: {typed(each['schema'], schemas)}{need}"
                yield from (f"{here} takes {each['name']} as {word}" for word in words(each["schema"], schemas))
            for media, body in call.get("requestBody", {}).get("content", {}).items():
                yield f"{here} takes {media}: {typed(body['schema'], schemas)}"
            for status, answer in call["responses"].items():
                for media, body in answer.get("content", {}).items():
                    yield f"{here} answers {status} {media}: {typed(body['schema'], schemas)}"


def rest_schemas(document: dict[str, Any]) -> Iterator[str]:
    """The fields of every object, each with the words that it may hold."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for field, of in schema.get("properties", {}).items():
            yield f"REST {name}.{field}: {typed(of, schemas)}"
            yield from (f"REST {name}.{field} may be {word}" for word in words(of, schemas))
        for field in schema.get("required", ()):
            yield f"REST {name}.{field} required"


def words(schema: dict[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """The words of an enumeration, and of those in a list or beside null; what it is called travels nowhere."""
    parts = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
    named = schemas[str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else schema
    yield from map(str, named.get("enum", ()))
    for each in parts:
        yield from words(each, schemas)


def typed(schema: dict[str, Any], schemas: Mapping[str, Any]) -> str:
    """A type in one word or a few."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return "word" if "enum" in schemas[name] else name
    if "anyOf" in schema:
        return " | ".join(sorted(typed(each, schemas) for each in schema["anyOf"]))
    kind = "word" if "enum" in schema else str(schema.get("type", "any"))
    return f"list of {typed(schema['items'], schemas)}" if kind == "array" and "items" in schema else kind


def commands() -> Iterator[str]:
    """The verbs and their arguments."""
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, of_verb in action.choices.items():
                yield f"command {verb}"
                yield from (f"command {verb} {each}" for each in map(argument, of_verb._actions))


def argument(action: argparse.Action) -> str:
    """An argument with what may be said and what is meant where nothing is."""
    called = " ".join(action.option_strings) or action.dest
    choices = f" one of {', '.join(map(str, action.choices))}" if action.choices else ""
    default = f" default {action.default}" if action.default not in (None, False, argparse.SUPPRESS) else ""
    nargs = f" nargs {action.nargs}" if action.nargs is not None else ""
    return f"{called} ({type(action).__name__.strip('_')}){nargs}{choices}{default}"


def tables() -> Iterator[str]:
    """Our tables in Airflow's database."""
    for table in metadata.tables.values():
        for column in table.columns:
            kind = column.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
            yield f"table {table.name}.{column.name}: {kind}{'' if column.nullable else ' not null'}"
        yield f"table {table.name} key {', '.join(column.name for column in table.primary_key)}"


def options() -> Iterator[str]:
    """Airflow's configuration, section ``rerun_downstream``."""
    for name, each in OPTIONS.items():
        yield f"option {name}: {each['type']} default {each['default']}"


def names() -> Iterator[str]:
    """What can be imported, and the entry points that Airflow and pip know."""
    for module in PUBLIC_MODULES:
        for name in getattr(importlib.import_module(module), "__all__", ()):
            yield f"import {module}.{name}"
    yield "import airflow_rerun_downstream.__version__"
    yield "import airflow_rerun_downstream.asset_manager.RerunAssetManager"


def main() -> None:
    """Write the lines."""
    Path(sys.argv[1]).write_text("".join(f"{line}\n" for line in surface()), encoding="utf-8")


if __name__ == "__main__":
    main()
