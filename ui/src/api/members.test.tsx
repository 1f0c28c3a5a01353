import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { memberOf } from "../testing/samples";
import { useMembers } from "./members";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A server that takes its time; when each question came, and what it was. */
function slowServer(members: ReturnType<typeof memberOf>[], seconds: number) {
  const asked: { at: number; query: URLSearchParams }[] = [];
  const began = Date.now();
  vi.stubGlobal("fetch", async (request: Request) => {
    const query = new URL(request.url).searchParams;
    asked.push({ at: (Date.now() - began) / 1000, query });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const ids = query.getAll("member_id").map(Number);
    const all = ids.length === 0 ? members : members.filter(({ id }) => ids.includes(id));
    const offset = Number(query.get("offset") ?? 0);
    return Response.json({ members: all.slice(offset, offset + 100), total_entries: all.length });
  });
  return asked;
}

function watch(client = new QueryClient()) {
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return renderHook(() => useMembers(7, true), { wrapper });
}

it("looks again only some time after the last look has ended", async () => {
  const asked = slowServer([memberOf(1, "a")], 3);
  watch();
  await vi.advanceTimersByTimeAsync(11_000);
  expect(asked.map(({ at }) => Math.round(at))).toEqual([0, 5, 10]);
});

it("asks a large rerun for what may have changed, and now and then for all", async () => {
  const members = Array.from({ length: 250 }, (_, index) => memberOf(index + 1, "a", { state: "pending" }));
  members[4] = memberOf(5, "a", { state: "running" });
  const asked = slowServer(members, 0.1);
  const { result } = watch();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.map(({ query }) => query.get("offset"))).toEqual(["0", "100", "200"]);
  expect(result.current.data?.length).toBe(250);
  members[4] = memberOf(5, "a", { state: "failed" });
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked.slice(3).map(({ query }) => query.getAll("member_id"))).toEqual([["5"]]);
  expect(result.current.data?.[4]?.state).toBe("failed");
  await vi.advanceTimersByTimeAsync(6000);
  expect(asked.length).toBe(4); // nothing has happened, and nothing is in flight
  await vi.advanceTimersByTimeAsync(6000);
  expect(asked.slice(4).map(({ query }) => query.get("offset"))).toEqual(["0", "100", "200"]);
});
