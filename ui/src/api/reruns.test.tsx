import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { rerunOf } from "../testing/samples";
import { chances, FakeServer } from "../testing/following";
import { everyRerun, useRecord } from "./reruns";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A server that takes its time; when each question came, and with which cursor. */
function slowServer(server: FakeServer, seconds: number) {
  const asked: { at: number; path: string; since: string | null }[] = [];
  const began = Date.now();
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const since = url.searchParams.get("since");
    const path = url.pathname.replace(/^.*\/api\/v1/, "");
    asked.push({ at: Math.round((Date.now() - began) / 1000), path, since });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return Response.json(await server.ask(since ?? undefined));
  });
  return asked;
}

function follow() {
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return renderHook(() => useRecord(7), { wrapper });
}

it("looks again only some time after the last look has ended", async () => {
  const asked = slowServer(new FakeServer(chances(1), 3), 3);
  follow();
  await vi.advanceTimersByTimeAsync(11_000);
  expect(asked.map(({ at }) => at)).toEqual([0, 5, 10]);
});

it("asks one thing of a quiet rerun, and keeps what it knows", async () => {
  const server = new FakeServer(chances(1), 250);
  const asked = slowServer(server, 0.01);
  const { result } = follow();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked.map(({ since }) => since !== null)).toEqual([false, true, true]);
  const known = result.current.data;
  expect([known?.members.length, known?.complete]).toEqual([250, true]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(asked.slice(3).map(({ path, since }) => [path, since])).toEqual(
    Array(3).fill(["/reruns/7/changes", known?.cursor]),
  );
  expect(result.current.data).toBe(known);
  expect(server.told).toBe(250);
});

it("shows a change, and draws nothing else anew", async () => {
  const server = new FakeServer(chances(1), 250);
  slowServer(server, 0.01);
  const { result } = follow();
  await vi.advanceTimersByTimeAsync(1_000);
  const before = new Set(result.current.data?.members);
  server.write(5, { state: "failed" });
  await vi.advanceTimersByTimeAsync(2_100);
  const fresh = result.current.data?.members.filter((member) => !before.has(member));
  expect(fresh?.map(({ id, state }) => [id, state])).toEqual([[5, "failed"]]);
});

it("looks rarely at a record that can't change any more", async () => {
  const server = new FakeServer(chances(1), 3);
  server.rerun = { ...server.rerun, state: "succeeded", final: true };
  const asked = slowServer(server, 0.01);
  follow();
  await vi.advanceTimersByTimeAsync(50_000);
  expect(asked.length).toBe(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked.length).toBe(2);
});

it("looks as rarely as the server wants", async () => {
  const server = new FakeServer(chances(1), 3);
  server.pause = 20;
  const asked = slowServer(server, 0.01);
  follow();
  await vi.advanceTimersByTimeAsync(50_000);
  expect(asked.map(({ at }) => at)).toEqual([0, 20, 40]);
});

/** A server with the reruns of one turn at each question, and with the last ones at all that follow; what it was asked. */
function listing(...turns: number[][]) {
  const asked: URLSearchParams[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    const { searchParams } = new URL(request.url);
    const now = turns[Math.min(asked.push(searchParams), turns.length) - 1] ?? [];
    const [offset, limit] = [Number(searchParams.get("offset")), Number(searchParams.get("limit"))];
    const reruns = now.slice(offset, offset + limit).map((id) => rerunOf({ id }));
    return Promise.resolve(Response.json({ reruns, total_entries: now.length }));
  });
  return asked;
}

const idsTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

it.each([0, 1, 100, 101, 250])("reads each of %i reruns once", async (count) => {
  listing(idsTo(count));
  const { items, changed } = await everyRerun({});
  expect([items.map(({ id }) => id), changed]).toEqual([idsTo(count), false]);
});

it("misses none that begins to match behind the reader, also where another one ends to match meanwhile", async () => {
  // When the third page is asked for, number 1 has failed, and number 2 goes on: as many as before match.
  const [before, after] = [idsTo(250).filter((id) => id !== 1), idsTo(250).filter((id) => id !== 2)];
  listing(before, before, after);
  const { items, changed } = await everyRerun({ state: ["failed"] });
  expect([items.map(({ id }) => id), changed]).toEqual([after, false]);
});

it("leaves out none at which another one stood before, once that has gone", async () => {
  listing(idsTo(150), idsTo(150).slice(2));
  const { items, changed } = await everyRerun({});
  expect([items.map(({ id }) => id), changed]).toEqual([idsTo(150).slice(2), false]);
});

it("reads a list of one page once", async () => {
  const asked = listing(idsTo(100));
  await everyRerun({});
  expect(asked).toHaveLength(1);
});

it("tells that one may be missing where the list never stays the same for as long as it takes to read it", async () => {
  const asked = listing(...Array.from({ length: 100 }, (_, turn) => idsTo(150 + turn)));
  const { items, changed } = await everyRerun({});
  expect([changed, asked.length < 20]).toEqual([true, true]);
  expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
});
