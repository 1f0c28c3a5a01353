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
CONNECTIONS = 6
"""As many as browsers open to one server."""
TABLES = 5
"""One browser of so many shows the table, which asks Airflow for the runs in sight."""
IN_SIGHT = 30


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
    """One open record page. ``at_once``: as the pages once did, it asks for all members, all pages at once."""

    def __init__(self, client: httpx.AsyncClient, rerun: int, crowd: Crowd, *, table: bool, at_once: bool) -> None:
        self.client = client
        self.path = f"reruns/{rerun}"
        self.crowd = crowd
        self.table, self.at_once = table, at_once
        self.page, self.pause = constant("PAGE"), constant("LIVE") / 1000
        self.members: set[int] = set()
        self.cursor: str | None = None
        self.again = 0.0

    async def look(self) -> None:
        """Follow the rerun until cancelled."""
        await asyncio.gather(self.everything("links"), self.old_way() if self.at_once else self.follow())

    async def old_way(self) -> None:
        while True:
            await self.everything("members")
            await asyncio.sleep(self.pause)

    async def follow(self) -> None:
        """See `ui/src/api/following.ts`, and for the table `ui/src/api/live.ts`."""
        while True:
            asked = self.cursor
            await self.changes()
            if self.table and self.cursor != asked:
                some = sorted(self.members)[:IN_SIGHT]
                await self.get("/members", {"limit": self.page, "member_id": some})
                self.crowd.answered["runs in sight"] += 1
            await asyncio.sleep(max(self.pause, self.again))

    async def changes(self) -> None:
        """One look."""
        more, parts, quiet = True, 0, False
        while more:
            since = {} if self.cursor is None else {"since": self.cursor}
            answer = await self.get("/changes", {"limit": self.page, **since})
            quiet, self.again = answer["cursor"] == self.cursor, answer["look_again_after"]
            self.cursor, more, parts = answer["cursor"], answer["more"], parts + 1
            self.members |= {one["id"] for one in answer["members"]}
        self.crowd.answered["quiet look" if quiet else "look" if parts == 1 else "look in parts"] += 1

    async def everything(self, what: str) -> None:
        """What is on all pages."""

        async def page(offset: int) -> list[Any]:
            found: list[Any] = (await self.get(f"/{what}", {"limit": self.page, "offset": offset}))[what]
            return found

        first = await self.get(f"/{what}", {"limit": self.page, "offset": 0})
        size = len(first[what])
        offsets = range(size, first["total_entries"], size) if size else ()
        if self.at_once:
            await asyncio.gather(*(page(offset) for offset in offsets))
        else:
            for offset in offsets:
                await page(offset)
        self.crowd.answered[what] += 1

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
        how = {"table": number % TABLES == TABLES - 1, "at_once": arguments.at_once}
        async with httpx.AsyncClient(base_url=base, headers=headers, limits=limits, timeout=120) as client:
            while True:
                try:
                    await Browser(client, arguments.rerun, crowd, **how).look()
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
