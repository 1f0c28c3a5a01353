"""A live Airflow that tells a mail server, a webhook's receiver and a notifier, all of them in the tests' hands."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from tests.acceptance.freezing import Frozen
from tests.acceptance.story import AWAY
from tests.live.harness import Json, StartAirflow, wait_until
from tests.notify.receivers import MailServer, Receiver

SECRETS = {
    "path": "pa7h-of-the-hook",
    "key": base64.b64encode(b"key 0f the hook, never shown").decode(),
    "password": "pa55word-of-the-mail",
    "argument": "argum3nt-of-the-notifier",
    "header": "h3ader-of-the-hook",
}

NOTIFIER = """
import json, pathlib
from airflow.sdk.bases.notifier import BaseNotifier

class Writes(BaseNotifier):
    template_fields = ("text",)

    def __init__(self, folder, secret, text="{{ notification.headline }}", **kwargs):
        super().__init__(**kwargs)
        self.folder, self.text, self.secret = pathlib.Path(folder), text, secret

    def notify(self, context):
        print(self.secret)
        if (self.folder / "down").exists():
            raise RuntimeError(self.secret)
        told = context["notification"]
        line = {"id": told.id, "condition": told.condition, "text": self.text}
        with (self.folder / "notified").open("a") as file:
            file.write(json.dumps(line) + chr(10))
"""

TARGETS = ("hook", "mail", "note")


class Notified(Frozen):
    """Three targets, configured in the three places that there are."""

    def __init__(self, start: StartAirflow, folder: Path) -> None:
        self.hook, self.server = Receiver(), MailServer()
        self.hook.start()
        self.server.start()
        (folder / "targets.yaml").write_text("mail: {kind: email, to: ops@example.com, conn_id: mail_server}\n")
        super().__init__(start, folder, database="postgresql", env=self.configuration(folder))
        plugins = self.airflow.home / "plugins"
        plugins.mkdir(exist_ok=True)
        (plugins / "their_notifiers.py").write_text(NOTIFIER)

    def configuration(self, folder: Path) -> Mapping[str, str]:
        hook = {"kind": "webhook", "conn_id": "hook", "allow_http": True, "allow_private_addresses": True}
        note = {
            "kind": "notifier",
            "class": "their_notifiers.Writes",
            "arguments": {"folder": str(folder), "secret": SECRETS["argument"]},
        }
        wrong = {"kind": "webhook", "url": f"http://example.com/{SECRETS['path']}"}
        connections = {
            "hook": {
                "conn_type": "http",
                "host": f"{self.hook.url}/{SECRETS['path']}",
                "password": f"whsec_{SECRETS['key']}",
                "extra": {"headers": {"X-Token": SECRETS["header"]}},
            },
            "mail_server": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": self.server.port,
                "login": "ops",
                "password": SECRETS["password"],
                "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"},
            },
            "targets": {"conn_type": "generic", "extra": {"note": note}},
        }
        section = "AIRFLOW__RERUN_DOWNSTREAM__"
        return {
            f"{section}NOTIFICATION_TARGETS": json.dumps({"hook": hook, "wrong": wrong}),
            f"{section}NOTIFICATION_TARGETS_FILE": str(folder / "targets.yaml"),
            f"{section}NOTIFICATION_TARGETS_CONN_ID": "targets",
            f"{section}FROZEN_TOO_LONG_AFTER": "PT1S",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(each) for name, each in connections.items()},
        }

    def arrived(self) -> dict[str, list[tuple[str, str]]]:
        """What has come to each target: the message's id where its kind has it, and its condition or subject."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        found["hook"] = [(call.headers["webhook-id"], call.json["condition"]) for call in self.hook.calls]
        found["mail"] = [
            (post.mail["Message-ID"].strip("<>").partition("@")[0], post.mail["Subject"]) for post in self.server.posts
        ]
        if self.file("notified").exists():
            lines = map(json.loads, self.file("notified").read_text().splitlines())
            found["note"] = [(line["id"], line["condition"]) for line in lines]
        return found

    def ids(self, target: str) -> list[str]:
        """The ids of what has come to a target."""
        return [message_id for message_id, _ in self.arrived()[target]]

    def notifications(self, rerun_id: int) -> list[Json]:
        """How a rerun's notifications stand."""
        found: list[Json] = self.call("GET", f"/reruns/{rerun_id}/notifications", params={"limit": 100})[
            "notifications"
        ]
        return found

    def wait_told(self, rerun_id: int, conditions: set[str]) -> list[Json]:
        """Wait until each target was told of each condition."""

        def told() -> list[Json] | None:
            found = self.notifications(rerun_id)
            pairs = {(each["target"], each["condition"]) for each in found if each["state"] == "sent"}
            return found if pairs >= {(target, each) for target in TARGETS for each in conditions} else None

        return wait_until(told, 120, f"{sorted(conditions)} to be told", ignore=AWAY)

    def last_test(self, target: str) -> Json:
        """How the last test of a target stands."""
        found = self.call("GET", "/notification-targets")["notification_targets"]
        (last,) = (each["last_test"] for each in found if each["name"] == target)
        return dict(last)

    def wait_test(self, target: str, state: str, *, error: str | None = None, timeout: float = 60) -> Json:
        """Wait until the last test of a target stands so."""

        def stands() -> Json | None:
            last = self.last_test(target)
            as_wanted = last["state"] == state and (error is None or (last["error"] or "").startswith(error))
            return last if as_wanted and last["tries"] else None

        return wait_until(stands, timeout, f"the test of {target} to be {state}", ignore=AWAY)

    def insert(self, target: str, condition: str, rerun_id: int | None, message_id: str | None = None) -> str:
        """Add a delivery as the conductor does, from outside."""
        made, now = message_id or str(uuid4()), datetime.now(timezone.utc)
        values = {"m": made, "r": rerun_id, "t": target, "c": condition, "n": now}
        columns = (
            "message_id, rerun_id, target, condition, created_at, due_at, actor, members, occurrences, state, tries"
        )
        row = f"insert into rerun_downstream_delivery ({columns})"
        with self.airflow.db().begin() as connection:
            connection.execute(text(f"{row} values (:m, :r, :t, :c, :n, :n, 'x', '[]', 1, 'pending', 0)"), values)
        return made

    def let_time_pass(self) -> None:
        """What somebody has taken who is dead is anybody's."""
        with self.airflow.db().begin() as connection:
            now = {"now": datetime.now(timezone.utc)}
            connection.execute(text("update rerun_downstream_delivery set due_at = :now where state = 'pending'"), now)

    def logs(self) -> str:
        """All that any component has logged, and the tasks."""
        files = [*self.airflow.logs_folder.rglob("*"), *(self.airflow.home / "logs").rglob("*")]
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())

    def answers(self) -> list[Any]:
        """What the API says of all of it."""
        reruns = self.call("GET", "/reruns")["reruns"]
        parts = ("notifications", "events", "members")
        about = [self.call("GET", f"/reruns/{each['id']}/{part}") for each in reruns for part in parts]
        return [*about, reruns, self.call("GET", "/notification-targets"), self.call("GET", "/health")]
