import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { SOURCE } from "../../../testing/plans";
import { DraftStore } from "./store";

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
});
afterEach(() => vi.useRealTimers());

const name = (text: string) => ({ type: "set", patch: { name: text } }) as const;

describe("the store of a draft", () => {
  it("keeps it through a reload", () => {
    new DraftStore(SOURCE).dispatch(name("again"));
    vi.runAllTimers();
    expect(new DraftStore(SOURCE).get().name).toBe("again");
    expect(new DraftStore({ ...SOURCE, run_id: "r2" }).get().name).toBeNull();
  });

  it("writes at once when the page is left", () => {
    const store = new DraftStore(SOURCE);
    const stop = store.subscribe(() => undefined);
    store.dispatch(name("quick"));
    window.dispatchEvent(new Event("pagehide"));
    expect(new DraftStore(SOURCE).get().name).toBe("quick");
    store.dispatch(name("quicker"));
    stop();
    expect(new DraftStore(SOURCE).get().name).toBe("quicker");
  });

  it("tells of changes only", () => {
    const store = new DraftStore(SOURCE);
    const told = vi.fn();
    store.subscribe(told);
    store.dispatch({ type: "reached", step: "source" });
    expect(told).not.toHaveBeenCalled();
    store.dispatch({ type: "reached", step: "review" });
    expect(told).toHaveBeenCalledOnce();
  });

  it("begins anew after a submit", () => {
    const store = new DraftStore(SOURCE);
    store.dispatch(name("done"));
    store.clear();
    vi.runAllTimers();
    expect(store.get().name).toBeNull();
    expect(sessionStorage.length).toBe(0);
  });

  it("is another one for each rerun that is to be done again, and for none", () => {
    const like = { type: "unread", rerunId: 7 } as const;
    const store = new DraftStore(SOURCE, 7);
    store.dispatch(like);
    store.dispatch(name("like 7"));
    vi.runAllTimers();
    expect(new DraftStore(SOURCE, 7).get().name).toBe("like 7");
    expect(new DraftStore(SOURCE, 7, true).get().name).toBeNull();
    expect(new DraftStore(SOURCE, 8).get().name).toBeNull();
    expect(new DraftStore(SOURCE).get().name).toBeNull();
  });

  it("lives without a place to store", () => {
    const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new Error("full");
    });
    const store = new DraftStore(SOURCE);
    store.dispatch(name("kept"));
    vi.runAllTimers();
    expect(store.get().name).toBe("kept");
    full.mockRestore();
  });
});
