"""What is told of a rerun's end while it goes on, and how far that was off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.acceptance.story import ENDED, Story, moment
from tests.live.harness import Json, wait_until

PARTS = (0.25, 0.5, 0.75)


@dataclass
class Told:
    """The estimates of a rerun, from its submit to its end."""

    story: Story
    rerun_id: int
    answers: list[Json] = field(default_factory=list)
    rerun: Json = field(default_factory=dict)

    def follow(self) -> None:
        """Ask until it has ended."""

        def ended() -> bool:
            self.answers.append(self.story.call("GET", f"/reruns/{self.rerun_id}/estimate"))
            self.rerun = self.story.call("GET", f"/reruns/{self.rerun_id}")
            return self.rerun["state"] in ENDED

        wait_until(ended, 180, f"rerun {self.rerun_id} to end")

    def going(self) -> list[Json]:
        """The answers of while it went on."""
        return [one for one in self.answers if one["outlook"] != "ended"]

    def errors(self) -> dict[float, float]:
        """How far the end that was told was off, in seconds, when some parts of the time were over."""
        began, ended = at(self.rerun["created_at"]), at(self.rerun["ended_at"])
        found = {}
        for part in PARTS:
            until = began + part * (ended - began)
            known = [one for one in self.going() if at(one["as_of"]) <= until] or self.going()[:1]
            found[part] = (at(known[-1]["ends_at"]) - ended).total_seconds()
        return found


def at(text: str) -> datetime:
    """A date that is there."""
    found = moment(text)
    assert found is not None
    return found


def longest(links: Collection[tuple[str, str]], usual: Mapping[str, float]) -> list[str]:
    """The chain of Dags that takes longest, by trying all."""

    def until(dag_id: str) -> tuple[float, list[str]]:
        before = max((until(up) for up, down in links if down == dag_id), default=(0.0, list[str]()))
        return before[0] + usual[dag_id], [*before[1], dag_id]

    return max(until(dag_id) for dag_id in usual)[1]


def path_of(answer: Json) -> list[str]:
    """The Dags on the critical path."""
    return [step["member"]["dag_id"] for step in answer["path"]]


def told_all_along(story: Story, rerun_id: int, links: Collection[tuple[str, str]]) -> None:
    """From the first moment on a rerun says when it will end, by which chain of members, and at last when it has."""
    told = Told(story, rerun_id)
    told.follow()
    assert told.rerun["state"] == "succeeded"
    first = told.answers[0]
    assert (first["outlook"], first["unknown_members"], first["decided_by"]) == ("expected", 0, "path"), first
    usual = {one["member"]["dag_id"]: one["usual_seconds"] for one in first["members"]}
    assert len(usual) == len(story.members(rerun_id))
    assert path_of(first) == longest(links, usual)
    for one in told.going():
        assert one["ends_at"] is None or at(one["ends_at"]) >= at(one["as_of"])
    lasted = (at(told.rerun["ended_at"]) - at(told.rerun["created_at"])).total_seconds()
    off = told.errors()
    print(
        f"\nrerun {rerun_id} lasted {lasted:.1f} s; off at",
        {f"{part:.0%}": f"{one:+.1f} s" for part, one in off.items()},
    )
    # Tasks of a third of a second: how long Airflow takes to start them differs more than they do. How far it is off
    # where tasks take their time is for tests/conductor/test_estimate_of_sixty.py.
    assert abs(off[PARTS[-1]]) <= lasted
    assert all(abs(one) <= 3 * lasted for one in off.values())
    last = story.call("GET", f"/reruns/{rerun_id}/estimate")
    assert (last["outlook"], last["ends_at"], last["path"]) == ("ended", told.rerun["ended_at"], [])
