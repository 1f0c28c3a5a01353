"""Texts and values that an author, or somebody with a login, may write to harm others; by what is bad about them."""

from __future__ import annotations

from typing import Any

TEMPLATES: dict[str, str] = {
    "a loop in a loop": "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "a power": "{{ 9**(9**9) }}",
    "a wide text": "{{ 'a'.center(2000000000) }}",
    "a repeated text": "{{ 'a' * 2000000000 }}",
    "a wide number": "{{ '%2000000000d' % 1 }}",
    "many words": "{{ lipsum(n=1000000) }}",
    "every second": "{{ (data_interval_end - data_interval_start).range('seconds') | list }}",
    "unclosed": "{{" * 40_000,
    # ten more
    "a wide year": "{{ logical_date.strftime('%9999999Y') }}",
    "a format of a text": "{{ '{:>2000000000}'.format(1) }}",
    "a filter with a width": "{{ ds | center(2000000000) }}",
    "many digits": "{{ " + "9" * 4_000 + " }}",
    "a product of numbers": "{{ " + "9999999999999 * " * 40 + "1 }}",
    "brackets": "{{ " + "(" * 450 + "1" + ")" * 450 + " }}",
    "a long sum": "{{ " + "1 + " * 240 + "1 }}",
    "texts that grow": "{{ ds" + ".replace('', ds)" * 40 + " }}",
    "a macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "namespaces": "{{ cycler.__init__.__globals__.os.popen('sleep 60').read() }}",
    "a list": "{{ [ds] * 2000000000 }}",
    "a range": "{{ range(2000000000) | join }}",
    "a year that isn't there": "{{ logical_date.add(years=999999999999) }}",
    "no time zone": "{{ logical_date.in_timezone('../../../../dev/zero') }}",
    "not a date": "9" * 80_000,
}
"""Each as the logical date of a marker, or as an id."""

NAMES: dict[str, tuple[str, str]] = {
    "parts that fit in many places": ("a{{ x }}" * 8 + "b", "a" * 250),
    "more of them": ("a{{ x }}" * 100 + "b", "a" * 250),
    "unclosed": ("{{" * 40_000, "a" * 250),
    "closed at the end": ("{{" * 40_000 + "}}", "a" * 250),
    "only closed": ("{{ x }}" + "}}" * 40_000, "a" * 250),
    "pairs of letters": ("ab{{ x }}" * 60 + "c", "ab" * 125),
    "one letter each": ("{{ x }}a" * 110, "a" * 249 + "b"),
    "longer than any id": ("a" * 900 + "{{ x }}", "a" * 250),
    "a comment": ("{# " * 300 + "{{ x }}", "a" * 250),
    "statements": ("{% if x %}" * 8_000, "a" * 250),
    "nested": ("{{ {{ x }} }}" * 70, "a" * 250),
    "the end twice": ("{{ x }}" + "a" * 130 + "{{ x }}" + "a" * 130, "a" * 250),
}
"""A template of a Dag's id, and an id that it is held against."""

DATE = "2026-11-01T00:00:00+00:00"


def wait(**more: Any) -> dict[str, Any]:
    """A record of a sensor, with something else in it."""
    return {"external_dag_id": "src", "task_ids": ["t"], "group_id": None, "dates": [DATE], **more}


def deep(depth: int) -> Any:
    """A list in a list in a list …"""
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


WAITS: dict[str, Any] = {
    "task_ids is a number": wait(task_ids=5),
    "year 1, east of Greenwich": wait(dates=["0001-01-01T00:00:00+14:00"]),
    "group_id is an object": wait(group_id={"a": 1}),
    "a deep list as a text": "[" * 2_000,
    "a deep list": deep(900),
    "a deep list for a date": wait(dates=deep(900)),
    "200,000 dates": wait(dates=[DATE] * 200_000),
    # ten more
    "3,000 equal dates": wait(dates=[DATE] * 3_000),
    "a million ids": wait(task_ids=["t"] * 1_000_000),
    "a long id": wait(external_dag_id="a" * 100_000),
    "dates is a text": wait(dates=DATE),
    "dates is an object": wait(dates={DATE: DATE}),
    "a date is an object": wait(dates=[{"year": 1}]),
    "a date is a number": wait(dates=[1e308]),
    "a long date": wait(dates=["2" * 100_000]),
    "a date without a zone": wait(dates=["2026-11-01T00:00:00"]),
    "year 9999, west of Greenwich": wait(dates=["9999-12-31T23:59:59-14:00"]),
    "an id is a list": wait(task_ids=[["t"], {"t": 1}]),
    "a number of 5,000 digits": '{"external_dag_id": ' + "9" * 5_000 + "}",
    "JSON in JSON in JSON": '"' + "\\" * 3 + '"' + "\\" * 3 + '""',
    "true": True,
    "nothing": None,
    "a list of records": [wait()] * 100,
    "an id that is no text": wait(external_dag_id=5),
    "half of a character": wait(group_id=["\ud800"]),
}
"""Each as what a sensor has recorded."""

TRIGGERED: dict[str, Any] = {
    "a deep list as a text": "[" * 2_000,
    "a deep list": deep(900),
    "a long id": "a" * 500_000,
    "a number": 5,
    "an object": {"run_id": "r"},
    "a list": ["r"] * 1_000,
    "nothing": None,
    "true": True,
    "an empty text": "",
    "a run that isn't there": "never was",
    "an address": "/dags/src/runs/" * 10_000,
    "JSON in JSON": '"' * 1_001,
    "a number of 5,000 digits": "9" * 5_000,
}
"""Each as the id of the run that a task has triggered, and as the address of its link."""

SOURCE = {"source": {"dag_id": "src", "run_id": "r"}}
RUN = {"dag_id": "d", "run_id": "r"}
MANY = 100_000

BODIES: dict[str, dict[str, Any]] = {
    "a hundred thousand members": {"members": [RUN] * MANY},
    "as many malformed ones": {"members": [{"x": 1}] * MANY},
    "as many that are no objects": {"members": list(range(MANY))},
    "as many frozen runs": {"frozen": [RUN] * MANY},
    # ten more
    "as many malformed frozen runs": {"frozen": [{}] * MANY},
    "as many tasks": {"task_ids": ["t"] * MANY},
    "as many malformed tasks": {"task_ids": [[]] * MANY},
    "malformed tasks in all members": {"members": [{**RUN, "task_ids": [[]] * 20}] * 10_000},
    "only just too many malformed members": {"members": [{"x": 1, "y": [2]}] * 10_000},
    "as many unknown fields": {f"field_{number}": number for number in range(MANY)},
    "unknown fields in a member": {"members": [{**RUN, **{f"f{number}": 1 for number in range(MANY)}}]},
    "a long name of a field": {"x" * 1_000_000: 1},
    "as many notifications": {"notifications": [{"target": "x", "on": ["succeeded"]}] * MANY},
    "one of as many events": {"notifications": [{"target": "x", "on": ["succeeded"] * MANY}]},
    "as many kinds of links": {"options": {"link_kinds": ["asset"] * MANY}},
    "a long id": {"members": [{"dag_id": "d" * 1_000_000, "run_id": "r"}]},
    "a long token": {"plan_token": "t" * 1_000_000},
    "a long reason": {"reason": "\u4e2d" * 1_000_000},
    "a deep list": {"members": deep(300)},
    "a number of 4,000 digits": {"options": {"max_runs": 10**4_000}},
}
"""Each beside `SOURCE` as the body of a submit."""

PATTERNS: dict[str, str] = {
    "a thousand alternatives": "|".join(f"d{number}" for number in range(1_000)),
    "twenty-one": "|".join("a" * 21),
    "long": "a" * 100_000,
    "many signs": "%_" * 50_000,
    "only bars": "|" * 100_000,
}
"""Each as a pattern of Dag ids."""
