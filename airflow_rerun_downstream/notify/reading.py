"""From what the deployment has written to targets. What is wrong is said without any value: one of them is a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import TemplateError

from airflow_rerun_downstream.domain.sentence import Param, Sentence
from airflow_rerun_downstream.notify.mail import address
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Email, NotifierCall, Target, Webhook
from airflow_rerun_downstream.notify.webhook import is_header, key_of, split
from airflow_rerun_downstream.notify.wording import USUAL, Wording, check

NAME = re.compile(r"[^\x00-\x1f\x7f/:\\]{1,100}")
PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
MAX_RECIPIENTS = 50
MAX_SECONDS = 60.0

Spec = Mapping[str, Any]
Read = Callable[[str], str]
"""Reads a template's file."""

COMMON = frozenset({"kind", "description", "conn_id", "dag_ids", "subject", "text", "html", "text_file", "html_file"})
WEBHOOK = frozenset({"url", "secret", "headers", "payload", "allow_http", "allow_private_addresses"})
EMAIL = frozenset({"to", "from"})
NOTIFIER = frozenset({"class", "arguments", "timeout"})
KINDS: Mapping[str, frozenset[str]] = {"webhook": WEBHOOK, "email": EMAIL, "notifier": NOTIFIER}
DEFAULT_CONNECTION = "smtp_default"


class WrongTarget(ValueError):
    """What is wrong with a target: one of their texts, which names no value."""

    def __init__(self, code: str, **params: Param) -> None:
        self.why = Sentence(code, **params)
        super().__init__(self.why)


def target_of(name: str, spec: Spec, read: Read) -> Target:
    """A target. Raises `WrongTarget`."""
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise WrongTarget("target.bad_name", limit=100, characters=": / \\")
    kind = text_of(spec, "kind") or ""
    if kind not in KINDS:
        raise WrongTarget("target.unknown_kind", names=list(KINDS))
    unknown = sorted(str(each) for each in set(spec) - COMMON - KINDS[kind])
    if unknown:
        raise WrongTarget("target.unknown_option", kind=kind, name=repr(unknown[0][:50]))
    call, conn_id = CALLS[kind](spec)
    return Target(
        name=name,
        kind=kind,
        call=call,
        description=text_of(spec, "description") or "",
        conn_id=conn_id,
        dag_ids=flag(spec, "dag_ids", True),
        wording=wording_of(spec, read),
    )


def webhook(spec: Spec) -> tuple[Webhook, str | None]:
    """A webhook and its connection. What a connection says is looked at when it is read."""
    url, conn_id, secret = text_of(spec, "url"), text_of(spec, "conn_id"), text_of(spec, "secret")
    http, headers = flag(spec, "allow_http", False), spec.get("headers") or {}
    if url is None and conn_id is None:
        raise WrongTarget("target.no_address")
    if not isinstance(headers, Mapping) or not all(is_header(*each) for each in headers.items()):
        raise WrongTarget("target.bad_header")
    payload = spec.get("payload")
    if payload is not None and not isinstance(payload, Mapping):
        raise WrongTarget("target.option_not_object", name="payload")
    try:
        if url is not None:
            split(url, allow_http=http)
    except NotSent:
        raise WrongTarget("target.not_https") from None
    try:
        key_of(secret or "")
    except NotSent:
        raise WrongTarget("target.not_base64") from None
    each_text(payload, checked)
    private = flag(spec, "allow_private_addresses", False)
    return Webhook(url, secret, dict(headers), payload, http, private), conn_id


def email(spec: Spec) -> tuple[Email, str | None]:
    """An e-mail and the connection of its server."""
    given, sender = spec.get("to"), text_of(spec, "from")
    to = [given] if isinstance(given, str) else given
    if not isinstance(to, list) or not 1 <= len(to) <= MAX_RECIPIENTS or not all(isinstance(one, str) for one in to):
        raise WrongTarget("target.recipients", limit=MAX_RECIPIENTS)
    for what, each in (*(("to", one) for one in to), *([("from", sender)] if sender else [])):
        try:
            address(each)
        except ValueError:
            raise WrongTarget("target.not_an_address", name=what) from None
    return Email(tuple(to), sender), text_of(spec, "conn_id") or DEFAULT_CONNECTION


def notifier(spec: Spec) -> tuple[NotifierCall, None]:
    """A notifier. Whether its class is there shows when it is made."""
    path, arguments, seconds = text_of(spec, "class"), spec.get("arguments") or {}, spec.get("timeout", 30)
    if path is None or PATH.fullmatch(path) is None:
        raise WrongTarget("target.bad_class")
    if not isinstance(arguments, Mapping) or not all(isinstance(each, str) for each in arguments):
        raise WrongTarget("target.option_not_object", name="arguments")
    try:
        json.dumps(arguments, default=str)
    except (ValueError, TypeError, RecursionError):
        raise WrongTarget("target.not_json") from None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 1 <= seconds <= MAX_SECONDS:
        raise WrongTarget("target.bad_timeout", limit=round(MAX_SECONDS))
    if spec.get("conn_id") is not None:
        raise WrongTarget("target.connection_elsewhere")
    return NotifierCall(path, dict(arguments), float(seconds)), None


CALLS: Mapping[str, Callable[[Spec], tuple[Any, str | None]]] = {
    "webhook": webhook,
    "email": email,
    "notifier": notifier,
}


def wording_of(spec: Spec, read: Read) -> Wording:
    """The templates; what isn't given is as usual. With a text of its own and no HTML, there is no HTML."""
    subject, text, html = text_of(spec, "subject"), template(spec, "text", read), template(spec, "html", read)
    own = Wording(
        checked(subject) if subject else USUAL.subject,
        text or USUAL.text,
        html if html is not None else (None if text else USUAL.html),
    )
    return USUAL if own == USUAL else own


def template(spec: Spec, what: str, read: Read) -> str | None:
    """A template, given as it is or as a file."""
    given, file = text_of(spec, what), text_of(spec, f"{what}_file")
    if given is not None and file is not None:
        raise WrongTarget("target.either", first=what, second=f"{what}_file")
    if file is not None:
        try:
            given = read(file)
        except (OSError, ValueError):
            raise WrongTarget("target.unreadable_file", name=f"{what}_file") from None
    return None if given is None else checked(given)


def checked(text: str) -> str:
    """A template that can be read."""
    try:
        check(text)
    except TemplateError:
        raise WrongTarget("target.bad_template") from None
    return text


def each_text(part: Any, look: Callable[[str], object]) -> None:
    """Look at every text of a body."""
    if isinstance(part, str):
        look(part)
    for each in part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ():
        each_text(each, look)


def text_of(spec: Spec, name: str) -> str | None:
    """An option that is a text."""
    found = spec.get(name)
    if found is not None and not isinstance(found, str):
        raise WrongTarget("target.not_text", name=name)
    return found or None


def flag(spec: Spec, name: str, default: bool) -> bool:
    """An option that is true or false."""
    found = spec.get(name, default)
    if not isinstance(found, bool):
        raise WrongTarget("target.not_boolean", name=name)
    return found


def targets_of(
    sources: Iterable[tuple[str, Mapping[str, Spec]]], read: Read
) -> tuple[dict[str, Target], dict[str, Sentence]]:
    """The targets by name, and what is wrong with others, each with where it stands; the first of a name counts.

    Whatever one target makes of our parsers, and of others', stays with it.
    """
    found: dict[str, Target] = {}
    wrong: dict[str, Sentence] = {}
    for where, specs in sources:
        for name, spec in specs.items():
            try:
                if name in found:
                    raise WrongTarget("target.another")
                if not isinstance(spec, Mapping):
                    raise WrongTarget("target.not_object")
                found[name] = target_of(name, spec, read)
            except WrongTarget as problem:
                wrong[Sentence("target.at", name=shown(name), where=where)] = problem.why
            except Exception as error:
                why = Sentence("target.unreadable", error=type(error).__name__)
                wrong[Sentence("target.at", name=shown(name), where=where)] = why
    return found, wrong


def shown(name: object) -> str:
    """A name to say what is wrong with; not every number has a text."""
    try:
        return repr(str(name)[:100])
    except Exception:
        return Sentence("target.nameless", kind=type(name).__name__)
