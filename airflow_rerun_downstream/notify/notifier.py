"""A message by one of Airflow's notifiers, in a process of its own: one that hangs, or ends it, harms nobody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from airflow_rerun_downstream.notify.child import SENT
from airflow_rerun_downstream.notify.messages import Message
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Credentials, NotifierCall, Target

STARTING = 20.0
"""Seconds that the process gets to load Airflow, besides those for the notifier."""

LOOK = 0.2
LEFT = 5.0
"""Seconds that it gets once this process is to end."""

CHILD = (sys.executable, "-m", "airflow_rerun_downstream.notify.child")
MOST_SAID = 200


class NotifierSender:
    """`Sender` for notifiers. ``stopping``: whether this process is to end."""

    def __init__(self, stopping: Callable[[], bool] = lambda: False, command: Sequence[str] = CHILD) -> None:
        self._stopping = stopping
        self._command = command

    def send(self, target: Target, message: Message, credentials: Credentials | None) -> None:
        """Raises `NotSent` unless the notifier says, within its time, that it is done."""
        call = target.call
        assert isinstance(call, NotifierCall)
        told = {**message.fields, "html": message.html}
        self.ask({"path": call.path, "arguments": dict(call.arguments), "message": told}, call.seconds)

    def check(self, target: Target) -> str | None:
        """Why a target's notifier can't be made, as a word; None: it can."""
        call = target.call
        assert isinstance(call, NotifierCall)
        try:
            self.ask({"path": call.path, "arguments": dict(call.arguments), "message": None}, call.seconds)
        except NotSent as problem:
            return problem.word
        return None

    def ask(self, question: Mapping[str, Any], seconds: float) -> None:
        """Let the process do it; what else it prints may hold a secret, and goes nowhere."""
        told = json.dumps(question, default=str).encode()
        reading, writing = os.pipe()
        try:
            process = subprocess.Popen(
                [*self._command, str(writing), str(seconds + STARTING + LEFT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(writing,),
                start_new_session=True,
                env={**os.environ, "_AIRFLOW_PROCESS_CONTEXT": "server"},
            )
        except OSError:
            os.close(reading)
            raise NotSent("unexpected_error") from None
        finally:
            os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as answer:
            self.ended(process, told, seconds + STARTING)
            os.set_blocking(reading, False)  # something that it has started may still hold the other end
            said = (answer.read(MOST_SAID) or b"").decode("ascii", "replace")
        if said != SENT:
            raise NotSent(f"notifier_error:{said}" if said.isidentifier() else "notifier_error")

    def ended(self, process: subprocess.Popen[bytes], question: bytes, seconds: float) -> None:
        """Wait for the end of the process, or make one. Raises `NotSent` in that case."""
        left = seconds
        try:
            with suppress(BrokenPipeError), process.stdin as pipe:  # type: ignore[union-attr]
                pipe.write(question)
            while left > 0:
                try:
                    process.wait(LOOK)
                    return
                except subprocess.TimeoutExpired:
                    left = min(left, LEFT) - LOOK if self._stopping() else left - LOOK
            raise NotSent("timed_out")
        finally:
            killed(process)


def killed(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
