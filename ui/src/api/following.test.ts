import { expect, it } from "vitest";

import { chances, FakeServer } from "../testing/following";
import { eventOf, memberOf, rerunOf } from "../testing/samples";
import { type Followed, look } from "./following";

const nobody = () => {
  throw new Error("Half of it was shown");
};

/** What is shown, without what only the next question is for. */
const shown = ({ rerun, members, events, complete }: Followed) => ({ rerun, members, events, complete });

it.each(Array.from({ length: 20 }, (_, seed) => seed))("knows after a look what a reload shows: %i", async (seed) => {
  const chance = chances(seed);
  const server = new FakeServer(chance, 12 + seed);
  let known: Followed | undefined;
  for (let round = 0; round < 40; round++) {
    // What changes in the middle of a look is seen by the next one at the latest.
    server.disturbing = chance() < 0.3;
    known = await look(known, server.ask, known === undefined ? () => undefined : nobody);
    server.disturbing = false;
    known = await look(known, server.ask, nobody);
    expect(shown(known)).toEqual(shown(await look(undefined, server.ask, () => undefined)));
    expect(new Set(known.members.map(({ id }) => id))).toEqual(new Set(server.readable().map(({ id }) => id)));
    const told = server.told;
    expect(await look(known, server.ask, nobody)).toBe(known);
    expect(server.told).toBe(told);
    for (let number = Math.floor(chance() * 4); number > 0; number--) {
      server.change();
    }
  }
});

it("fetches of a large rerun what has changed", async () => {
  const server = new FakeServer(chances(1), 10_000);
  const known = await look(undefined, server.ask, () => undefined);
  expect(known.members.length).toBe(10_000);
  const before = server.told;
  const one = server.members[4_999];
  server.write(5_000, { state: "failed" });
  const found = await look(known, server.ask, nobody);
  expect(server.told - before).toBe(1);
  expect(found.members.filter((member) => !known.members.includes(member)).map(({ id }) => id)).toEqual([one?.id]);
});

it("shows a rerun before all of it is there, and never half of a change", async () => {
  const server = new FakeServer(chances(2), 250);
  const some: Followed[] = [];
  const known = await look(undefined, server.ask, (found) => some.push(found));
  expect(some.map(({ members, complete }) => [members.length, complete])).toEqual([
    [100, false],
    [200, false],
  ]);
  expect([known.members.length, known.complete]).toEqual([250, true]);
  server.sight += 2; // a permission is another one: everything is sent again
  expect((await look(known, server.ask, nobody)).members.length).toBe(250);
});

it("goes on where it was interrupted", async () => {
  const server = new FakeServer(chances(3), 250);
  let half: Followed | undefined;
  const stopped = look(
    undefined,
    (since) => (since === undefined ? server.ask(since) : Promise.reject(new Error("gone"))),
    (found) => (half = found),
  );
  await expect(stopped).rejects.toThrow("gone");
  expect((await look(half, server.ask, () => undefined)).members.length).toBe(250);
  expect(server.told).toBe(250);
});

it("keeps the order of turns, whichever order members come in", async () => {
  const at = (hour: number) => `2026-01-05T0${hour}:00:00Z`;
  const members = [
    memberOf(1, "z", { depth: 0 }),
    memberOf(2, "b", { depth: 1, run_after: at(2) }),
    memberOf(3, "a", { depth: 1, run_after: at(3) }),
    memberOf(4, "c", { depth: 1, run_after: at(3) }),
    memberOf(5, "c", { depth: 1, run_after: at(3), run_id: "r2" }),
    memberOf(6, "a", { depth: 1, run_after: null }),
    memberOf(7, "a", { depth: 2, run_after: at(1) }),
  ];
  const answer = {
    look_again_after: 2,
    cursor: "1",
    whole: true,
    more: false,
    rerun: rerunOf(),
    members: members.toReversed(),
    events: [],
  };
  const known = await look(undefined, () => Promise.resolve(answer), nobody);
  expect(known.members).toEqual(members);
  const moved = memberOf(2, "b", { depth: 1, run_after: at(9), run_id: "made" });
  const line = eventOf(at(9), "member_adopted");
  const news = {
    look_again_after: 2,
    cursor: "2",
    whole: false,
    more: false,
    rerun: null,
    members: [moved],
    events: [line],
  };
  const found = await look(known, () => Promise.resolve(news), nobody);
  expect(found.members.map(({ id }) => id)).toEqual([1, 3, 4, 5, 2, 6, 7]);
  expect(found.events).toEqual([line]);
  expect(found.rerun).toBe(known.rerun);
});
