"""What a message says: templates in a sandbox, which end in time and have an end.

What a template is given has been cleaned before (`messages`), so that no template has to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST, LONGEST_SUBJECT = 20_000, 200
"""Characters of a text, and of its subject."""

SECONDS = 2.0
"""For one template."""

MOST = 10_000
"""Largest number that a template may multiply with, and turns of a loop."""


class TooLong(TemplateError):
    """A template doesn't come to an end."""


@dataclass(frozen=True)
class Wording:
    """The templates of a message. ``html`` None: there is no such version."""

    subject: str
    text: str
    html: str | None = None


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates can read what they are given, and count."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Multiply numbers; a text times a number could be as long as memory."""
        if not all(isinstance(each, (int, float)) and abs(each) <= MOST for each in (left, right)):
            raise TooLong("only small numbers can be multiplied")
        return left * right if operator == "*" else left ** min(right, 8)


def checked_range(*numbers: int) -> Iterator[int]:
    """Numbers to count with, while there is time."""
    until = time.monotonic() + SECONDS
    for number in range(*numbers)[:MOST]:
        if time.monotonic() > until:
            raise TooLong("the template takes too long")
        yield number


@cache
def environment(*, escapes: bool) -> Sandbox:
    """Where templates are rendered; in HTML, what they are given is escaped."""
    made = Sandbox(
        autoescape=escapes, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True, cache_size=50
    )
    made.globals = {"range": checked_range}
    return made


def render(template: str, names: Mapping[str, Any], *, escapes: bool = False, longest: int = LONGEST) -> str:
    """A template filled in, cut where it gets too long. Raises `TemplateError`, and whatever the template does."""
    until, length, parts = time.monotonic() + SECONDS, 0, list[str]()
    for part in environment(escapes=escapes).from_string(template).generate(**names):
        parts.append(part)
        length += len(part)
        if length > longest:
            break
        if time.monotonic() > until:
            raise TooLong("the template takes too long")
    return "".join(parts)[:longest].strip()


def check(template: str) -> None:
    """Raise `TemplateError` where a template can't be read."""
    environment(escapes=False).from_string(template)


SUBJECT = "[Airflow] {{ headline }}"

TEXT = """\
{{ headline }}.
{% if rerun %}

{% if rerun.source %}
Source: {{ rerun.source.dag_id }} / {{ rerun.source.run_id }}
{% endif %}
{% if rerun.name %}
Name: {{ rerun.name }}
{% endif %}
{% if rerun.reason %}
Reason for the rerun: {{ rerun.reason }}
{% endif %}
Submitted by: {{ rerun.created_by }}
State: {{ rerun.state }}{% if why %} ({{ why }}){% endif %}

Progress: {{ rerun.done }} of {{ rerun.total }} runs done\
{% for state, number in rerun.counts.items() if number %}, {{ number }} {{ state }}{% endfor %}

{% endif %}
{% if members %}

{% for each in members %}
- {% if each.dag_id %}{{ each.dag_id }} / {{ each.run_id or "not created yet" }}{% else %}member {{ each.id }}\
{% endif %}{% if each.why %}: {{ each.why }}{% endif %}

{% endfor %}
{% set others, failures = occurrences - members | length, condition == "member_failed" %}
{% if others > 0 %}
- and {{ others }} more{{ " failures" if failures and others > 1 else " failure" if failures }}
{% endif %}
{% endif %}
{% if url %}

{{ url }}
{% endif %}

Happened at {{ occurred_at }}; as of {{ sent_at }}. Message {{ id }}
"""

HTML = """\
<p><strong>{{ headline }}.</strong></p>
{% if rerun %}
<table>
{% if rerun.source %}
<tr><td>Source</td><td>{{ rerun.source.dag_id }} / {{ rerun.source.run_id }}</td></tr>
{% endif %}
{% if rerun.name %}
<tr><td>Name</td><td>{{ rerun.name }}</td></tr>
{% endif %}
{% if rerun.reason %}
<tr><td>Reason for the rerun</td><td>{{ rerun.reason }}</td></tr>
{% endif %}
<tr><td>Submitted by</td><td>{{ rerun.created_by }}</td></tr>
<tr><td>State</td><td>{{ rerun.state }}{% if why %} ({{ why }}){% endif %}</td></tr>
<tr><td>Progress</td><td>{{ rerun.done }} of {{ rerun.total }} runs done\
{% for state, number in rerun.counts.items() if number %}, {{ number }} {{ state }}{% endfor %}</td></tr>
</table>
{% endif %}
{% if members %}
<ul>
{% for each in members %}
<li>{% if each.dag_id %}{{ each.dag_id }} / {{ each.run_id or "not created yet" }}{% else %}member {{ each.id }}\
{% endif %}{% if each.why %}: {{ each.why }}{% endif %}</li>
{% endfor %}
{% set others, failures = occurrences - members | length, condition == "member_failed" %}
{% if others > 0 %}
<li>and {{ others }} more{{ " failures" if failures and others > 1 else " failure" if failures }}</li>
{% endif %}
</ul>
{% endif %}
{% if url %}
<p><a href="{{ url }}">Open the record</a></p>
{% endif %}
<p><small>Happened at {{ occurred_at }}; as of {{ sent_at }}. Message {{ id }}</small></p>
"""

USUAL = Wording(SUBJECT, TEXT, HTML)
"""What a message says where the deployment has no words of its own."""
