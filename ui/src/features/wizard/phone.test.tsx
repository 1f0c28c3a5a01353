import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import "../../i18n";
import { showPage } from "../../testing/page";
import { answers } from "../../testing/wizard";
import { WizardPage } from "./WizardPage";

const show = (step: string) =>
  showPage(`/rerun?dag_id=orders&run_id=r1&step=${step}`, "/rerun", <WizardPage />, answers());

/** A window of so many pixels. */
function widthOf(pixels: number) {
  vi.spyOn(window, "matchMedia").mockImplementation((media) => {
    const [, rem] = /\(min-width: ([\d.]+)rem\)/.exec(media) ?? [];
    return Object.assign(new EventTarget(), {
      matches: Number(rem ?? Infinity) * 16 <= pixels,
      media,
    }) as MediaQueryList;
  });
}

beforeEach(() => sessionStorage.clear());
afterEach(() => vi.restoreAllMocks());

const inFoot = () => within(document.querySelector("footer") ?? document.body);
const buttons = () =>
  inFoot()
    .getAllByRole("button")
    .map((each) => each.textContent);

it("shows the source as one line that opens, on a phone", async () => {
  widthOf(390);
  show("source");
  const source = await screen.findByTestId("source");
  expect(source.tagName).toBe("DETAILS");
  expect(source.hasAttribute("open")).toBe(false);
  expect(source.querySelector("summary")?.textContent).toBe("Source orders r1");
  expect(within(source).getByTestId("source-facts")).toBeTruthy();
});

it("shows all of the source where there is room", async () => {
  widthOf(1280);
  show("source");
  expect(await screen.findByTestId("source-facts")).toBeTruthy();
  expect(screen.queryByTestId("source")).toBeNull();
});

it("has only the ways back and on in the line that stays, on a phone, and the rest before it", async () => {
  widthOf(390);
  show("review");
  await screen.findByTestId("tally");
  expect(buttons()).toEqual(["Back", "Propose", "Start rerun"]);
  expect(inFoot().queryByTestId("tally")).toBeNull();
  for (const name of ["Start over", "Copy as…"]) {
    expect(screen.getByRole("button", { name })).toBeTruthy();
  }
});

it("has all of it in one line where there is room", async () => {
  widthOf(1280);
  show("review");
  await screen.findByTestId("tally");
  expect(buttons()).toEqual(["Back", "Start over", "Copy as…", "Propose", "Start rerun"]);
  expect(inFoot().getByTestId("tally")).toBeTruthy();
});
