"""The notification targets of the deployment: in its configuration, in a file, in an Airflow connection."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.notify.network import bounded
from airflow_rerun_downstream.notify.not_sent import NotSent, error_words
from airflow_rerun_downstream.notify.reading import Spec, targets_of
from airflow_rerun_downstream.notify.target import Credentials, NotifierCall, Target
from airflow_rerun_downstream.settings import Settings

log = logging.getLogger(__name__)

CONNECTING = 10.0
"""Seconds for an Airflow connection, which may come from a back end that is elsewhere."""

MOST_READ = 1_000_000

ANEW = 300.0
"""Seconds after which what an Airflow connection says is read once more."""

Connections = Callable[[str], Credentials | None]
"""Reads an Airflow connection; None: there is none of that name."""


def no_connections(_conn_id: str) -> Credentials | None:
    """Where there is no Airflow to ask."""
    return None


@dataclass(frozen=True)
class Configured:
    """What was found: the targets by name, and what is wrong, by a name with the place where it stands."""

    targets: Mapping[str, Target] = field(default_factory=dict)
    problems: Mapping[str, Sentence] = field(default_factory=dict)


class ConfiguredTargets:
    """`Notifier` from the ``[rerun_downstream]`` section. Addresses and secrets stay inside.

    Read when it is first asked for; those in an Airflow connection anew now and then, while nobody waits for that.
    ``check`` says what else is wrong with a notifier, in a word. It takes long, so only `read` asks it, once others
    may know what was read; what is wrong is asked about anew now and then. Threads may share it.
    """

    def __init__(self, settings: Settings, connections: Connections = no_connections) -> None:
        self._settings = settings
        self._connections = connections
        self._found: Configured | None = None
        self._wrong: Mapping[str, Sentence] = {}
        self._unmade: dict[str, tuple[object, str]] = {}
        self._looking, self._checking = threading.Lock(), threading.Lock()
        self._connected: Mapping[str, Spec] = {}
        self._read_at = 0.0
        self.check: Callable[[Target], str | None] = lambda _: None

    @property
    def found(self) -> Configured:
        """What was last read."""
        if self._found is None:
            with self._looking:
                return self._found or self.look()
        connected = self._settings.notification_targets_conn_id is not None
        if (connected or self._unmade) and time.monotonic() - self._read_at > ANEW:
            self._read_at = time.monotonic()
            anew = self.read if connected else self.check_all
            threading.Thread(target=anew, daemon=True, name="rerun-downstream-targets").start()
        return self._found

    def targets(self) -> Sequence[tuple[str, str, str]]:
        """Name, kind and description of each, by name."""
        found = self.found.targets.values()
        return [(each.name, each.kind, each.description) for each in sorted(found, key=lambda each: each.name)]

    def target(self, name: str) -> Target | None:
        """One of them."""
        return self.found.targets.get(name)

    def credentials(self, target: Target) -> Credentials | None:
        """What the target's Airflow connection says; None: it has none. Raises `NotSent`."""
        return None if target.conn_id is None else self.connection(target.conn_id)

    def connection(self, conn_id: str) -> Credentials:
        """An Airflow connection, read now. Raises `NotSent`."""
        try:
            found = bounded(lambda: self._connections(conn_id), CONNECTING)
        except NotSent:
            raise
        except Exception:
            raise NotSent("airflow_connection_missing") from None
        if found is None:
            raise NotSent("airflow_connection_missing")
        return found

    def read(self) -> Configured:
        """Read all, then check the notifiers; what is wrong is in the log."""
        with self._looking:
            self.look()
        return self.check_all()

    def check_all(self) -> Configured:
        """Check the notifiers of what was read, one thread at a time."""
        with self._checking:
            for target in self.found.targets.values():
                if isinstance(target.call, NotifierCall):
                    self.note(target, self.checked(target))
            return self.found

    def note(self, target: Target, word: str | None) -> None:
        """Keep what is wrong with a target's notifier; None: nothing is."""
        with self._looking:
            self._unmade = {name: each for name, each in self._unmade.items() if name != target.name}
            if word is not None:
                self._unmade[target.name] = target.call, word
            if self._found is not None:
                self.publish(self._found.targets)

    def look(self) -> Configured:
        """Read all. What was known of a notifier that is the same still holds."""
        self._read_at = time.monotonic()
        sources, problems = [("notification_targets", self._settings.notification_targets)], dict[str, Sentence]()
        for option, where, read in (
            ("notification_targets_file", self._settings.notification_targets_file, self.in_file),
            ("notification_targets_conn_id", self._settings.notification_targets_conn_id, self.in_connection),
        ):
            try:
                sources += [(option, read(where))] if where else []
            except Exception:  # what a parser makes of it, too: `AttributeError`, `RecursionError` …
                problems[option] = Sentence("target.unreadable_source")
        if "notification_targets_conn_id" in problems:  # what was known of them still holds
            sources.append(("notification_targets_conn_id", self._connected))
        found, wrong = targets_of(sources, self.template)
        self._wrong = {**problems, **wrong}
        return self.publish(found)

    def publish(self, found: Mapping[str, Target]) -> Configured:
        """Let all see the targets and what is wrong; what is wrong for the first time is in the log."""
        unmade = {
            repr(name): Sentence("target.notifier_not_made", error=error_words(word))
            for name, (call, word) in self._unmade.items()
            if name in found and found[name].call == call
        }
        before, self._found = self._found, Configured(found, {**self._wrong, **unmade})
        for name, problem in self._found.problems.items():
            if before is None or before.problems.get(name) != problem:
                log.error("Notification target %s: %s", name, problem)
        return self._found

    def checked(self, target: Target) -> str | None:
        """What ``check`` says; that it fails, too."""
        try:
            return self.check(target)
        except Exception as error:
            return f"unexpected_error:{type(error).__name__}"

    def in_file(self, file: str) -> Mapping[str, Spec]:
        """The targets of a YAML file."""
        return by_name(yaml.safe_load(text_in(Path(file))))

    def in_connection(self, conn_id: str) -> Mapping[str, Spec]:
        """The targets in the extra field of an Airflow connection."""
        extra = self.connection(conn_id).extra
        found = extra.get("notification_targets", extra)
        self._connected = by_name(json.loads(found) if isinstance(found, str) else found)
        return self._connected

    def template(self, file: str) -> str:
        """A template's file; its path begins at the file of the targets, where there is one."""
        base = self._settings.notification_targets_file
        return text_in((Path(base).parent if base else Path()) / file)


def text_in(path: Path) -> str:
    """A file's text. Raises OSError and ValueError."""
    with path.open(encoding="utf-8") as file:
        found = file.read(MOST_READ + 1)
    if len(found) > MOST_READ:
        raise ValueError("too long")
    return found


def by_name(found: Any) -> Mapping[str, Spec]:
    """Targets by their names. Raises ValueError."""
    if not isinstance(found, Mapping):
        raise ValueError("not an object")
    return found
