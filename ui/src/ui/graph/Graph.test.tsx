import { ChakraProvider } from "@chakra-ui/react";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import "../../i18n";
import { system } from "../theme/system";
import { Graph } from "./Graph";
import { GraphMemory } from "./memory";
import type { GraphHandle, GraphProps, LabelledEdge } from "./types";

const SIZE = { width: 200, height: 80 };
const WIDE = Array.from({ length: 37 }, (_, index) => `d${index}`);
const NODES = ["source", ...WIDE, "report"];
const EDGES: LabelledEdge[] = [
  ...WIDE.map((to) => ({ from: "source", to, label: "asset", title: `source to ${to}: asset` })),
  { from: "d1", to: "report", label: "sensor", title: "d1 to report: sensor" },
];

const GROUPS: GraphProps["groups"] = {
  dagOf: (key) => key,
  stateOf: (key) => (key === "d2" ? "failed" : "success"),
  states: [
    { state: "failed", word: "failed", color: "red" },
    { state: "success", word: "success", color: "green" },
  ],
  keep: "source",
};

beforeEach(() => {
  // React Flow draws only what is in sight, and jsdom has no sizes.
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(4_000);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(8_000);
  const room = { x: 0, y: 0, left: 0, top: 0, right: 4_000, bottom: 8_000, width: 4_000, height: 8_000 };
  vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockReturnValue({ ...room, toJSON: () => room });
});

function show(more: Partial<GraphProps> = {}) {
  const props: GraphProps = {
    label: "The runs",
    nodes: NODES,
    edges: EDGES,
    size: SIZE,
    card: (key) => <span>{key}</span>,
    nameOf: (key) => key,
    colorOf: () => "gray",
    groups: GROUPS,
    ...more,
  };
  const page = (changed: Partial<GraphProps> = {}) => (
    <ChakraProvider value={system}>
      <button type="button">before</button>
      <Graph {...props} {...changed} />
    </ChakraProvider>
  );
  const { rerender, unmount } = render(page());
  return { again: (changed: Partial<GraphProps>) => rerender(page(changed)), unmount };
}

const card = (name: string | RegExp) => screen.findByRole("group", { name });
const cards = () => [...document.querySelectorAll<HTMLElement>("[data-card]")];
const lit = (state: string) =>
  cards()
    .filter(({ dataset }) => dataset.lit === state)
    .map(({ dataset }) => dataset.card);

describe("a large level", () => {
  it("is one card that says how many runs of how many Dags, and how they stand", async () => {
    show();
    const group = await card(/^36 runs/);
    expect(within(group).getByText("36 runs of 36 Dags")).toBeTruthy();
    expect(group.getAttribute("aria-label")).toBe("36 runs of 36 Dags: 1 failed, 35 success");
    expect(cards()).toHaveLength(4);
  });

  it("opens, and folds again, and the focus goes along", async () => {
    show();
    const group = await card(/36 runs/);
    act(() => group.focus());
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(cards()).toHaveLength(39));
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.card).toBe("d0"));
    await userEvent.keyboard("f");
    await waitFor(() => expect(cards()).toHaveLength(4));
    await waitFor(() => expect(document.activeElement?.getAttribute("aria-label")).toMatch(/36 runs/));
  });

  it("is grouped by state, or shown as it is, as the person wants", async () => {
    show();
    const choice = await screen.findByRole("combobox", { name: "How large levels are shown" });
    await userEvent.selectOptions(choice, "state");
    await waitFor(() => expect(cards().map(({ dataset }) => dataset.card)).toContain("d2"));
    expect((await card(/^success: 36 runs of 36 Dags/)).dataset.card).toContain("success");
    await userEvent.selectOptions(choice, "none");
    await waitFor(() => expect(cards()).toHaveLength(39));
  });

  it("opens for a run that a search finds in it", async () => {
    const ref = createRef<GraphHandle>();
    show({ ref });
    await card(/36 runs/);
    act(() => ref.current?.focus("d7"));
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.card).toBe("d7"));
  });

  it("is as it was left when the graph comes back", async () => {
    const memory = new GraphMemory();
    const { unmount } = show({ memory });
    fireEvent.click(await screen.findByRole("button", { name: /Show the runs/ }));
    await waitFor(() => expect(cards()).toHaveLength(39));
    unmount();
    show({ memory });
    await waitFor(() => expect(cards()).toHaveLength(39));
  });
});

describe("the way of a run", () => {
  it("lights up under the pointer, along the links of the run and not of its group", async () => {
    show();
    fireEvent.pointerOver(await card("report"));
    expect(lit("lit")).toEqual(["source", "d1", "report"]);
    expect(lit("dim")).toHaveLength(1);
    fireEvent.pointerOver(screen.getByRole("application", { name: "The runs" }));
    expect(lit("dim")).toEqual([]);
  });

  it("lights up with the focus, until that leaves", async () => {
    show();
    const group = await card(/36 runs/);
    act(() => group.focus());
    expect(lit("dim")).toEqual(["d1", "report"]);
    act(() => screen.getByRole("button", { name: "before" }).focus());
    expect(lit("dim")).toEqual([]);
  });
});

describe("for those who don't see it", () => {
  it("names lines by Dags, and what they are in the page's language", async () => {
    show();
    await card("report");
    const line = screen.getByRole("img", { name: "d1 to report: sensor" });
    expect(line.getAttribute("aria-roledescription")).toBe("link");
    expect(screen.getByRole("img", { name: "source to 36 Dag runs: 36 links" })).toBeTruthy();
    expect(document.querySelector("[aria-roledescription=node], [aria-roledescription=edge]")).toBeNull();
  });

  it("is entered by Tab at its first card, and left backwards by one more", async () => {
    show();
    await card("report");
    await userEvent.tab();
    await userEvent.tab();
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.card).toBe("source"));
    await userEvent.tab({ shift: true });
    expect(document.activeElement?.textContent).toBe("before");
  });
});

it("keeps its place and its focus while states change and runs are added", async () => {
  const { again } = show({ groups: undefined });
  const one = await card("d5");
  act(() => one.focus());
  const place = () => document.querySelector<HTMLElement>(".react-flow__viewport")?.style.transform;
  const [at, was] = [place(), one.closest<HTMLElement>(".react-flow__node")?.style.transform];
  again({ groups: undefined, nameOf: (key) => `${key}, running` });
  expect(place()).toBe(at);
  again({ groups: undefined, nodes: ["new", ...NODES], edges: [{ from: "source", to: "new" }, ...EDGES] });
  await waitFor(() => expect(document.querySelector("[data-card=new]")).toBeTruthy());
  expect(document.activeElement).toBe(one);
  const shift = (text: string | undefined) =>
    /translate\((.+?)px, ?(.+?)px\)/
      .exec(text ?? "")
      ?.slice(1)
      .map(Number);
  const scale = Number(/scale\((.+?)\)/.exec(place() ?? "")?.[1]);
  const onScreen = (view: string | undefined, node: string | undefined) => {
    const [[x = 0, y = 0] = [], [left = 0, top = 0] = []] = [shift(view), shift(node)];
    return [Math.round(x + left * scale), Math.round(y + top * scale)];
  };
  const now = one.closest<HTMLElement>(".react-flow__node")?.style.transform;
  expect(now).not.toBe(was);
  await waitFor(() => expect(onScreen(place(), now)).toEqual(onScreen(at, was)));
});

it("shows whose library it is drawn with, as Airflow does", async () => {
  show();
  expect((await screen.findByRole("link", { name: /React Flow/ })).textContent).toBe("React Flow");
});
