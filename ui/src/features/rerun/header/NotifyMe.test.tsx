import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Rerun } from "../../../api/types";
import "../../../i18n";
import { type Asked, showPage } from "../../../testing/page";
import { changesOf, memberOf, NOBODY, rerunOf } from "../../../testing/samples";
import { keep, kept } from "../../../ui/kept";
import { RecordPage } from "../RerunPage";

const shown: { title: string; body: string | undefined; tag: string | undefined }[] = [];

/** A browser in which the person answers like this when they are asked. */
function browser(permission: NotificationPermission, answer: NotificationPermission = permission) {
  const asked = vi.fn();
  class FakeNotification {
    static permission = permission;
    static requestPermission = () => {
      asked();
      FakeNotification.permission = answer;
      return Promise.resolve(answer);
    };
    onclick: (() => void) | null = null;
    constructor(title: string, { body, tag }: NotificationOptions) {
      shown.push({ title, body, tag });
    }
  }
  vi.stubGlobal("Notification", FakeNotification);
  return asked;
}

function show(...reruns: Rerun[]) {
  const left = [...reruns];
  return showPage("/records/7?tab=details", "/records/:id", <RecordPage />, ({ path }: Asked) => {
    switch (path) {
      case "/reruns/7/changes":
        return changesOf((left.length > 1 ? left.shift() : left[0]) ?? rerunOf(), [memberOf(1, "orders")]);
      case "/reruns/7/links":
        return { links: [], total_entries: 0 };
      default:
        return undefined;
    }
  });
}

const toggle = () => screen.findByRole("checkbox", { name: "Notify me at the end" });
const ENDED = rerunOf({ name: "Right rate", state: "succeeded", final: true, counts: { ...NOBODY, succeeded: 3 } });

beforeEach(() => {
  shown.length = 0;
  vi.stubGlobal("isSecureContext", true);
});
afterEach(() => vi.unstubAllGlobals());

it("asks for permission on the click, not before, and stays for this rerun", async () => {
  const asked = browser("default", "granted");
  const first = show(rerunOf());
  const box = await toggle();
  expect(asked).not.toHaveBeenCalled();
  await userEvent.click(box);
  expect(asked).toHaveBeenCalledTimes(1);
  await waitFor(() => expect(kept("notify:7")).toBe("wanted"));
  first.unmount();
  show(rerunOf());
  expect((await toggle()) as HTMLInputElement).toHaveProperty("checked", true);
  await userEvent.click(await toggle());
  expect(kept("notify:7")).toBeUndefined();
});

it("tells of the end once", async () => {
  browser("granted");
  keep("notify:7", "wanted");
  const first = show(rerunOf({ name: "Right rate" }), ENDED);
  await waitFor(() => expect(shown).toHaveLength(1));
  expect(shown[0]).toEqual({ title: "Right rate: succeeded", body: "3 of 3 done", tag: "rerun-downstream-7" });
  expect(kept("notify:7")).toBeUndefined();
  first.unmount();
  show(ENDED);
  await screen.findByTestId("record-ended");
  expect(shown).toHaveLength(1);
});

it("tells of a failure, and of the end that comes after it", async () => {
  browser("granted");
  keep("notify:7", "wanted");
  show(rerunOf(), rerunOf({ state: "failed" }), rerunOf({ state: "running" }), ENDED);
  await waitFor(() => expect(shown.map(({ title }) => title)).toEqual(["Rerun #7: failed", "Right rate: succeeded"]));
});

it("doesn't tell of a failure that the person has seen before they asked for it", async () => {
  browser("granted");
  show(rerunOf({ state: "failed" }));
  await userEvent.click(await toggle());
  await waitFor(() => expect(kept("notify:7")).toBe("failed"));
  expect(shown).toEqual([]);
});

it("says that they are blocked", async () => {
  browser("default", "denied");
  show(rerunOf());
  await userEvent.click(await toggle());
  expect((await screen.findByText(/are blocked/)).getAttribute("role")).toBe("status");
  expect(kept("notify:7")).toBeUndefined();
});

it("says that the browser has none, or that the page isn't secure", async () => {
  browser("granted");
  vi.stubGlobal("isSecureContext", false);
  show(rerunOf());
  await userEvent.click(await toggle());
  await screen.findByText(/they need HTTPS/);
});

it("says that a frame of another site allows none", async () => {
  const asked = browser("default", "granted");
  const foreign = {
    get location(): never {
      throw new DOMException("Blocked", "SecurityError");
    },
  };
  vi.stubGlobal("top", foreign);
  show(rerunOf());
  await userEvent.click(await toggle());
  await screen.findByText(/inside another site's frame/);
  expect(asked).not.toHaveBeenCalled();
});
