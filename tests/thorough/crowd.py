"""Simulated browsers that look at the record of a rerun, in a process of their own: what they cost is theirs.

Each asks what `ui/src/api/` asks, one call after the other for each question, with the pauses that stand
there, over at most six connections. ``python -m tests.thorough.crowd`` prints what came of it as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PACE = Path(__file__).parents[2] / "ui" / "src" / "api" / "pace.ts"
REPLACED = ("member_adopted", "member_held")
CONNECTIONS = 6
"""As many as browsers open to one server."""


def constant(name: str) -> int:
    """A number of the pages' questions."""
    (found,) = re.findall(rf"^export const {name} = ([\d_]+);", PACE.read_text(), re.MULTILINE)
    return int(found.replace("_", ""))


@dataclass
class Crowd:
    """What came of it: the answers by status, how long each took, and how often each question was answered."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    bytes: int = 0


class Browser:
    """One open record page."""

    def __init__(self, client: httpx.AsyncClient, rerun: int, crowd: Crowd, *, at_once: bool) -> None:
        self.client = client
        self.path = f"reruns/{rerun}"
        self.crowd = crowd
        self.at_once = at_once
        self.page, self.live = constant("PAGE"), constant("LIVE") / 1000
        self.looks = constant("LOOKS")
        self.events: list[Any] = []
        self.members: dict[int, str] = {}
        self.lines, self.whole = 0, float("-inf")

    async def look(self) -> None:
        """Follow the rerun until cancelled."""
        await asyncio.gather(self.everything("links"), self.follow_rerun(), self.follow_members(), self.follow_events())

    async def follow_rerun(self) -> None:
        while True:
            await self.get("")
            self.crowd.answered["rerun"] += 1
            await asyncio.sleep(self.live)

    async def follow_members(self) -> None:
        while True:
            lines, began = len(self.events), time.monotonic()
            ids = self.changed(began)
            if ids is None:
                self.members = {one["id"]: one["state"] for one in await self.everything("members")}
                self.whole = began
            elif ids:
                found = await self.get("/members", {"limit": self.page, "member_id": ids})
                self.members |= {one["id"]: one["state"] for one in found["members"]}
                self.crowd.answered["some members"] += 1
            self.lines = lines
            await asyncio.sleep(self.pace())

    def changed(self, now: float) -> list[int] | None:
        """See `ui/src/api/following.ts`. None: all may have changed."""
        news = self.events[self.lines :]
        overdue = now - self.whole >= self.looks * self.pace()
        replaced = any(one["member_id"] is None or one["action"] in REPLACED for one in news)
        if self.at_once or len(self.members) <= self.page or overdue or replaced:
            return None
        in_flight = [number for number, state in self.members.items() if state in ("running", "stopping")]
        ids = {*in_flight, *(one["member_id"] for one in news)}
        return None if len(ids) > self.page else sorted(ids)

    def pace(self) -> float:
        return max(self.live, len(self.members) * 0.005)

    async def follow_events(self) -> None:
        while True:
            self.events += await self.everything("events", len(self.events))
            await asyncio.sleep(self.live)

    async def everything(self, what: str, known: int = 0) -> list[Any]:
        """What is on all pages from one on."""

        async def page(offset: int) -> list[Any]:
            found: list[Any] = (await self.get(f"/{what}", {"limit": self.page, "offset": offset}))[what]
            return found

        first = await self.get(f"/{what}", {"limit": self.page, "offset": known})
        found = list(first[what])
        offsets = range(known + len(found), first["total_entries"], len(found)) if found else ()
        if self.at_once:
            rest = await asyncio.gather(*(page(offset) for offset in offsets))
        else:
            rest = [await page(offset) for offset in offsets]
        self.crowd.answered[what] += 1
        return found + [each for some in rest for each in some]

    async def get(self, path: str, params: dict[str, Any] | None = None) -> Any:
        began = time.monotonic()
        try:
            answer = await self.client.get(self.path + path, params=params)
        except httpx.TransportError as error:
            self.crowd.statuses[type(error).__name__] += 1
            raise
        self.crowd.seconds.append(time.monotonic() - began)
        self.crowd.statuses[str(answer.status_code)] += 1
        self.crowd.bytes += len(answer.content)
        return answer.raise_for_status().json()


async def look(arguments: argparse.Namespace) -> Crowd:
    """Let so many browsers look for so long."""
    crowd = Crowd()

    async def one(number: int) -> None:
        await asyncio.sleep(number * arguments.stagger)
        limits = httpx.Limits(max_connections=CONNECTIONS)
        headers = {"Authorization": f"Bearer {arguments.token}"}
        base = f"{arguments.url}/rerun-downstream/api/v1/"
        async with httpx.AsyncClient(base_url=base, headers=headers, limits=limits, timeout=120) as client:
            while True:
                try:
                    await Browser(client, arguments.rerun, crowd, at_once=arguments.at_once).look()
                except httpx.HTTPError:
                    await asyncio.sleep(1)

    try:
        everybody = asyncio.gather(*(one(number) for number in range(arguments.browsers)))
        await asyncio.wait_for(everybody, arguments.seconds)
    except (TimeoutError, asyncio.TimeoutError):
        pass
    return crowd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--rerun", type=int, required=True)
    parser.add_argument("--browsers", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--stagger", type=float, default=0.1, help="seconds between two that come")
    parser.add_argument("--at-once", action="store_true", help="ask for all pages at the same time")
    crowd = asyncio.run(look(parser.parse_args()))
    print(json.dumps(vars(crowd)))


if __name__ == "__main__":
    main()
