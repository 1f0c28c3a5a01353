import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { memberOf } from "../../../testing/samples";
import { LiveRunsProvider, useLiveRun } from "./LiveRuns";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const MEMBERS = [3, 1, 2].map((id) =>
  memberOf(id, `dag${id}`, { live: { state: "queued", run_after: null, run_id: "r" } }),
);

function Row({ id }: { id: number }) {
  const { state } = useLiveRun(memberOf(id, "a", { live: { state: "queued", run_after: null, run_id: "r" } }));
  return <p>{`${id} ${state}`}</p>;
}

function page(client: QueryClient, rows: number[], seen: string) {
  return (
    <QueryClientProvider client={client}>
      <LiveRunsProvider rerunId={7} seen={seen}>
        {rows.map((id) => (
          <Row key={id} id={id} />
        ))}
      </LiveRunsProvider>
    </QueryClientProvider>
  );
}

it("asks for the runs in sight, together, also when the record has changed or some time has gone by", async () => {
  const asked: string[][] = [];
  let state = "running";
  vi.stubGlobal("fetch", (request: Request) => {
    const ids = new URL(request.url).searchParams.getAll("member_id");
    asked.push(ids);
    const found = MEMBERS.filter(({ id }) => ids.includes(String(id)));
    const members = found.map((member) => ({ ...member, live: { ...member.live, state } }));
    return Promise.resolve(Response.json({ members, total_entries: members.length }));
  });
  const later = async (milliseconds: number) => {
    await act(() => vi.advanceTimersByTimeAsync(milliseconds));
    await act(() => vi.advanceTimersByTimeAsync(1)); // what was answered is read
  };
  const client = new QueryClient();
  const { rerender } = render(page(client, [3, 1], "one"));
  expect(screen.getByText("1 queued")).toBeTruthy();
  await later(500);
  expect(asked).toEqual([["1", "3"]]);
  expect(screen.getByText("1 running")).toBeTruthy();
  rerender(page(client, [1, 2], "one"));
  await later(500);
  expect(asked.slice(1)).toEqual([["1", "2"]]);
  state = "success";
  rerender(page(client, [1, 2], "two"));
  await later(500);
  expect(asked.slice(2)).toEqual([["1", "2"]]);
  expect(screen.getByText("2 success")).toBeTruthy();
  await later(10_000);
  expect(asked.slice(3)).toEqual([["1", "2"]]);
  rerender(page(client, [], "two"));
  await later(500);
  await later(30_000);
  expect(asked.slice(4)).toEqual([]);
});

it("gets its answers also where the record changes faster than they come", async () => {
  vi.stubGlobal("fetch", async (request: Request) => {
    await new Promise((resolve, reject) => {
      setTimeout(resolve, 3_000);
      request.signal.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
    });
    const members = MEMBERS.map((member) => ({ ...member, live: { ...member.live, state: "running" } }));
    return Response.json({ members, total_entries: 3 });
  });
  const client = new QueryClient();
  const { rerender } = render(page(client, [1], "0"));
  for (let look = 1; look <= 5; look++) {
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    rerender(page(client, look % 2 ? [1, 2] : [1], String(look)));
  }
  expect(screen.getByText("1 running")).toBeTruthy();
});
