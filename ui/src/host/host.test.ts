import { beforeEach, describe, expect, it, vi } from "vitest";

import { airflowAround, Iframe } from "./iframe";
import { appRoot, menuPath } from "./paths";
import { type Frame, Standalone } from "./standalone";
import { applyTheme } from "./theme";

type Windows = new (html: string, options: { url: string }) => { window: Frame };
const { JSDOM } = await vi.importActual<{ JSDOM: Windows }>("jsdom");

const SERVER = "https://air.flow";
const MENU = `${SERVER}/airflow/plugin/rerun-downstream`;
const UI = "/airflow/rerun-downstream/ui";

/** A browser's window at an address; what jsdom doesn't have is there. */
function windowAt(url: string, html = ""): Frame {
  const { window } = new JSDOM(html, { url });
  const media = { matches: false, addEventListener: () => undefined } as unknown as MediaQueryList;
  return Object.assign(window, { matchMedia: () => media });
}

/** This page in a frame of Airflow's page. */
function framed(outerUrl: string, inner = `${SERVER}${UI}/`) {
  const [page, outer] = [windowAt(inner), windowAt(outerUrl, '<html lang="de"><div id="root"></div>')];
  Object.defineProperty(page, "parent", { value: outer });
  return { page, outer, host: new Iframe(page, outer) };
}

/** Where the links lead that are clicked in a window. */
function clicks(frame: Frame): string[] {
  const found: string[] = [];
  frame.document.addEventListener("click", (event) => {
    event.preventDefault();
    const link = event.target as HTMLAnchorElement;
    found.push(`${link.getAttribute("href") ?? ""}${link.download && ` as ${link.download}`}`);
  });
  return found;
}

let page: Frame;
let alone: Standalone;
beforeEach(() => {
  page = windowAt(`${SERVER}${UI}/records/7`);
  alone = new Standalone(page);
});

describe("what is around the page", () => {
  it("is Airflow only where its application is", () => {
    const { page: inside, outer } = framed(MENU);
    expect(airflowAround(inside)).toBe(outer);
    expect(airflowAround(page)).toBeNull();
    outer.document.querySelector("#root")?.remove();
    expect(airflowAround(inside)).toBeNull();
  });

  it("isn't Airflow where it can't be read", () => {
    const stranger = {
      get document(): Document {
        throw new DOMException("Blocked a frame", "SecurityError");
      },
    };
    Object.defineProperty(page, "parent", { value: stranger });
    expect(airflowAround(page)).toBeNull();
  });
});

it.each([
  [`${SERVER}${UI}/records/7`, "/airflow/"],
  [`${SERVER}/rerun-downstream/ui/`, "/"],
  [`${SERVER}/elsewhere`, "/"],
])("at %s Airflow's root is %s", (url, root) => {
  expect(new Standalone(windowAt(url)).airflowRoot).toBe(root);
});

describe("preferences", () => {
  it("are what Airflow has stored, and otherwise the browser's", () => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    expect(alone.preferences()).toEqual({ dark: false, language: "en-US", timeZone });
    page.localStorage.setItem("theme", "dark");
    page.localStorage.setItem("i18nextLng", "zh-CN");
    page.localStorage.setItem("timezone", '"Asia/Shanghai"');
    const chosen = { dark: true, language: "zh-CN", timeZone: "Asia/Shanghai" };
    expect(new Standalone(page).preferences()).toEqual(chosen);
    page.localStorage.setItem("timezone", '"Nowhere/Town"');
    expect(new Standalone(page).preferences().timeZone).toBe(timeZone);
    page.localStorage.setItem("timezone", "not JSON");
    expect(new Standalone(page).preferences().timeZone).toBe(timeZone);
  });

  it("are the same value until one changes, and then each listener hears of it once", () => {
    const before = alone.preferences();
    const heard = [vi.fn(), vi.fn()];
    const stops = heard.map((listener) => alone.subscribe(listener));
    page.dispatchEvent(new page.Event("storage"));
    expect(alone.preferences()).toBe(before);
    page.localStorage.setItem("theme", "dark");
    page.dispatchEvent(new page.Event("storage"));
    expect(alone.preferences()).toEqual({ ...before, dark: true });
    stops.forEach((stop) => stop());
    page.localStorage.setItem("theme", "light");
    page.dispatchEvent(new page.Event("storage"));
    expect(heard.map((listener) => listener.mock.calls.length)).toEqual([1, 1]);
    alone.subscribe(() => undefined);
    expect(alone.preferences()).toEqual(before);
  });

  it("in a frame are those of the page around it, as it changes them", async () => {
    const { page: inside, outer, host } = framed(MENU);
    expect(host.preferences()).toMatchObject({ dark: false, language: "de" });
    const heard = vi.fn();
    const stop = host.subscribe(heard);
    outer.document.documentElement.classList.add("dark");
    await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce());
    inside.localStorage.setItem("timezone", '"Asia/Kolkata"');
    outer.dispatchEvent(new outer.Event("local-storage"));
    expect(host.preferences()).toEqual({ dark: true, language: "de", timeZone: "Asia/Kolkata" });
    stop();
    inside.localStorage.setItem("i18nextLng", "en");
    outer.dispatchEvent(new outer.Event("local-storage"));
    expect(heard).toHaveBeenCalledTimes(2);
  });
});

describe("ways out of the page", () => {
  it("go through a link, and leave nothing behind", () => {
    const found = clicks(page);
    alone.login();
    alone.download("/x", "x.csv");
    const here = encodeURIComponent(`${SERVER}${UI}/records/7`);
    expect(found).toEqual([`/airflow/api/v2/auth/login?next=${here}`, "/x as x.csv"]);
    expect(page.document.querySelector("a")).toBeNull();
  });

  it("are Airflow's page's own, from a frame: the sandbox lets nothing out", () => {
    const { page: inside, outer, host } = framed(MENU);
    const [here, around] = [clicks(inside), clicks(outer)];
    host.login();
    host.download("/x", "x.csv");
    expect(around).toEqual([`/airflow/api/v2/auth/login?next=${encodeURIComponent(MENU)}`, "/x as x.csv"]);
    expect(here).toEqual([]);
  });

  it("are told to Airflow's router, from a frame", () => {
    const { outer, host } = framed(MENU);
    const [moved, opened] = [vi.fn(), vi.fn()];
    outer.addEventListener("popstate", moved);
    Object.assign(outer, { open: opened });
    host.openAirflow("dags/orders");
    expect(outer.location.pathname).toBe("/airflow/dags/orders");
    expect(moved).toHaveBeenCalledOnce();
    host.openAirflow("dags/orders", true);
    expect(opened).toHaveBeenCalledWith("/airflow/dags/orders", "_blank", "noopener");
  });
});

describe("what the page is about", () => {
  const RUN = "scheduled__2026-11-29T00:00:00+00:00";
  it.each([
    [`${SERVER}/airflow/dags/orders/runs/${encodeURIComponent(RUN)}/plugin/rerun-downstream-run`, true, true],
    [`${SERVER}/airflow/dags/orders/runs/${RUN}/tasks/load/plugin/rerun-downstream-task`, true, true],
    [`${SERVER}/airflow/dags/orders/runs/${RUN}2/plugin/rerun-downstream-run`, true, false],
    [`${SERVER}/airflow/dags/orders/plugin/rerun-downstream-dag`, true, false],
    [`${SERVER}/airflow/dags/orders/%E0%A4%A/plugin/rerun-downstream-dag`, true, false],
    [`${MENU}${UI}/rerun?dag_id=orders&run_id=${RUN}`, false, false],
  ])("at %s a tab: %s, the run: %s", (url, tab, run) => {
    const { host } = framed(url);
    expect([host.onTab(), host.isAbout("orders", RUN)]).toEqual([tab, run]);
  });

  it("is itself, alone", () => expect([alone.onTab(), alone.isAbout("records", "7")]).toEqual([false, false]));

  it("has all of Airflow's width in the menu", () => {
    const path = menuPath(alone, { pathname: "/records/7", search: "?tab=table" });
    expect(path).toBe(`plugin/rerun-downstream${UI}/records/7?tab=table`);
  });
});

describe("the address", () => {
  const TAB = "/airflow/dags/orders/runs/r%2B1/plugin/rerun-downstream-run";

  it("is the window's own in a tab of the browser", () => {
    expect(alone.routerWindow()).toBe(page);
    expect(alone.address()).toBe(page.location.href);
  });

  it("on a tab is the fragment of Airflow's, and begins where that says", () => {
    const entrance = `${SERVER}${UI}/?dag_id=orders&run_id=r%2B1`;
    const fresh = framed(`${SERVER}${TAB}?x=1`, entrance);
    fresh.host.routerWindow();
    expect(fresh.page.location.href).toBe(entrance);
    expect(fresh.outer.location.href).toBe(`${SERVER}${TAB}?x=1#/?dag_id=orders&run_id=r%2B1`);
    const reloaded = framed(`${SERVER}${TAB}#/records/7?tab=events`, entrance);
    reloaded.host.routerWindow();
    expect(reloaded.page.location.href).toBe(`${SERVER}${UI}/records/7?tab=events`);
    expect(reloaded.host.address()).toBe(`${SERVER}${TAB}#/records/7?tab=events`);
  });

  it("on a tab shows every step, and follows Back there, also to where it began", () => {
    const { page: inside, outer, host } = framed(`${SERVER}${TAB}`, `${SERVER}${UI}/?dag_id=orders`);
    const router = host.routerWindow();
    const before = [inside.history.length, outer.history.length];
    router.history.pushState({ key: "a" }, "", `${UI}/records/7`);
    expect(outer.location.href).toBe(`${SERVER}${TAB}#/records/7`);
    expect([inside.history.length, outer.history.length]).toEqual([before[0], (before[1] ?? 0) + 1]);
    const moved = vi.fn();
    router.addEventListener("popstate", moved);
    for (const [bar, ours] of [
      [`${TAB}#/rerun?step=review`, `${UI}/rerun?step=review`],
      [TAB, `${UI}/?dag_id=orders`],
    ]) {
      outer.history.replaceState(null, "", bar);
      outer.dispatchEvent(new outer.Event("popstate"));
      expect(inside.location.href).toBe(SERVER + (ours ?? ""));
    }
    outer.history.replaceState(null, "", "/airflow/dags/orders"); // another of Airflow's pages
    outer.dispatchEvent(new outer.Event("popstate"));
    expect(moved).toHaveBeenCalledTimes(2);
    expect(outer.location.pathname).toBe("/airflow/dags/orders");
  });

  it("in the menu begins where the browser's bar says", () => {
    const { page: inside, host } = framed(`${MENU}${UI}/records/7?tab=events#x`);
    expect(appRoot(host)).toBe(UI);
    host.routerWindow();
    expect(inside.location.href).toBe(`${SERVER}${UI}/records/7?tab=events#x`);
  });

  it("in the menu shows every step in the browser's bar, and follows Back there", () => {
    const { page: inside, outer, host } = framed(MENU);
    const router = host.routerWindow();
    expect(outer.location.pathname).toBe(`/airflow/plugin/rerun-downstream${UI}/`);
    const before = [inside.history.length, outer.history.length];
    router.history.pushState({ key: "a" }, "", `${UI}/records?state=failed`);
    expect(outer.location.href).toBe(`${MENU}${UI}/records?state=failed`);
    expect([inside.history.length, outer.history.length]).toEqual([before[0], (before[1] ?? 0) + 1]);
    expect(router.history.state).toEqual({ key: "a" });
    const moved = vi.fn();
    router.addEventListener("popstate", moved);
    outer.history.replaceState(null, "", `${MENU}${UI}/dag-runs`); // where Back has led
    outer.dispatchEvent(new outer.Event("popstate"));
    expect(moved).toHaveBeenCalledOnce();
    expect(inside.location.pathname).toBe(`${UI}/dag-runs`);
    outer.history.replaceState(null, "", "/airflow/dags"); // out of the menu
    outer.dispatchEvent(new outer.Event("popstate"));
    inside.dispatchEvent(new inside.Event("pagehide"));
    outer.history.replaceState(null, "", `${MENU}${UI}/records`);
    outer.dispatchEvent(new outer.Event("popstate"));
    expect(moved).toHaveBeenCalledOnce();
  });
});

describe("the title", () => {
  it("is ours while the page is there, whatever Airflow calls its own", async () => {
    const { page: inside, outer, host } = framed(MENU);
    outer.document.title = "Airflow";
    host.setTitle("Dag Runs");
    host.setTitle("#7 running 1/3");
    expect([inside.document.title, outer.document.title]).toEqual(["#7 running 1/3", "#7 running 1/3"]);
    outer.document.title = "orders - Airflow"; // it has loaded the run's name
    await vi.waitFor(() => expect(outer.document.title).toBe("#7 running 1/3"));
    inside.dispatchEvent(new inside.Event("pagehide"));
    expect(outer.document.title).toBe("orders - Airflow");
  });
});

it("takes over the colours of the page around it, and the mode", () => {
  const { page: inside, outer, host } = framed(MENU);
  outer.document.documentElement.style.setProperty("--chakra-colors-blue-500", "#123456");
  applyTheme(inside.document, true, host.styles());
  const { classList, style } = inside.document.documentElement;
  expect([classList.contains("dark"), classList.contains("light"), style.colorScheme]).toEqual([true, false, "dark"]);
  expect(style.getPropertyValue("--chakra-colors-blue-500")).toBe("#123456");
  applyTheme(inside.document, false, null);
  expect([classList.contains("dark"), classList.contains("light")]).toEqual([false, true]);
});
