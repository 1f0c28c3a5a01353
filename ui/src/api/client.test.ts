import { beforeEach, describe, expect, it, vi } from "vitest";

import { host } from "../host/Host";
import { api, data, everything } from "./client";
import { logInAgain } from "./login";
import type { Problem } from "./problem";

/** A collection whose pages are as long as the server allows, and how many of its pages are on their way at a time. */
function collection(length: number, size: number) {
  const asked = { now: 0, most: 0, offsets: [] as number[] };
  const page = async (offset: number) => {
    asked.offsets.push(offset);
    asked.now += 1;
    asked.most = Math.max(asked.most, asked.now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    asked.now -= 1;
    const items = Array.from({ length: Math.max(0, Math.min(size, length - offset)) }, (_, index) => offset + index);
    return { items, total: length };
  };
  return { asked, page };
}

it.each([
  [0, [0]],
  [3, [0]],
  [4, [0]],
  [5, [0, 4]],
  [12, [0, 4, 8]],
  [13, [0, 4, 8, 12]],
])("asks for the pages of %i things one after the other", async (length, offsets) => {
  const { asked, page } = collection(length, 4);
  expect(await everything(page)).toEqual(Array.from({ length }, (_, index) => index));
  expect(asked.offsets).toEqual(offsets);
  expect(asked.most).toBe(1);
});

it("ends where the server has less than it said", async () => {
  const { asked, page } = collection(5, 4);
  const more = async (offset: number) => ({ ...(await page(offset)), total: 100 });
  expect(await everything(more)).toHaveLength(5);
  expect(asked.offsets).toEqual([0, 4, 5]);
});

describe("an answer", () => {
  const login = vi.spyOn(host(), "login").mockImplementation(() => undefined);
  const ask = (path: "/api/v1/health" | "/api/v1/reruns") => data(api().GET(path));
  const refused = (path: Parameters<typeof ask>[0] = "/api/v1/health") =>
    ask(path).then(
      () => undefined,
      (error: unknown) => error as Problem,
    );
  /** Answers by path; a function may throw, as a lost connection does. */
  const answering = (answers: Record<string, () => Response>) =>
    vi.stubGlobal("fetch", ({ url }: Request) => {
      const path = new URL(url).pathname.replace(/^.*\/api\/v1/, "");
      const answer = (answers[path] ?? Response.error)();
      Object.defineProperty(answer, "url", { value: url });
      return Promise.resolve(answer);
    });

  beforeEach(() => {
    sessionStorage.clear();
    login.mockClear();
  });

  it("that never came is a server that can't be reached", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await refused()).toMatchObject({ status: 0, reason: "no_answer" });
  });

  it("that is a proxy's page isn't printed, be it an error or not", async () => {
    answering({ "/health": () => new Response("<html>secret</html>", { status: 502 }) });
    expect(await refused()).toMatchObject({ status: 502, reason: "gateway", detail: "HTTP 502" });
    answering({ "/health": () => new Response("<html>secret</html>") });
    expect(await refused()).toMatchObject({ reason: "unreadable", detail: "" });
  });

  it("says when to ask again", async () => {
    answering({ "/health": () => new Response("", { status: 429, headers: { "Retry-After": "3" } }) });
    expect(await refused()).toMatchObject({ reason: "busy", askAgainAfter: 3000 });
  });

  it("to nobody leads to the login once, not again and again", async () => {
    const denied = () => Response.json({ detail: "Not authenticated" }, { status: 401 });
    answering({ "/health": denied, "/reruns": () => Response.json({ reruns: [], total_entries: 0 }) });
    expect((await refused())?.status).toBe(401);
    expect((await refused())?.status).toBe(401);
    expect(login).toHaveBeenCalledTimes(1);
    await ask("/api/v1/reruns"); // that another call is answered doesn't mean that the login has helped this one
    expect((await refused())?.status).toBe(401);
    expect(login).toHaveBeenCalledTimes(1);
    logInAgain();
    expect(login).toHaveBeenCalledTimes(2);
  });

  it("leads to the login once more when the session of another day has ended", async () => {
    const answers = { "/health": () => new Response("", { status: 401 }) };
    answering(answers);
    await refused();
    answering({ "/health": () => Response.json({}) });
    await ask("/api/v1/health");
    answering(answers);
    await refused();
    expect(login).toHaveBeenCalledTimes(2);
  });
});
