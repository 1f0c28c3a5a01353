import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import "../../i18n";
import { Refusal, showPage } from "../../testing/page";
import { answers, type Answers } from "../../testing/wizard";
import { WizardPage } from "./WizardPage";

const ADDRESS = "dag_id=orders&run_id=r1";
const show = (query: string, more?: Answers) => showPage(`/rerun?${query}`, "/rerun", <WizardPage />, answers(more));

beforeEach(() => sessionStorage.clear());

describe("a refusal proposes only what helps", () => {
  const refusal = (runs: object[]) =>
    new Refusal(409, { detail: "Some runs can't be taken.", reason: "not_selectable", runs });
  const clean = { dag_id: "clean", run_id: "r1", reason: "running" };

  it("to leave out what can be left out", async () => {
    show(`${ADDRESS}&step=review`, { "POST /reviews": () => refusal([clean]) });
    expect(await screen.findByRole("button", { name: /^Deselect/ })).toBeTruthy();
  });

  it.each([
    ["the source", { dag_id: "orders", run_id: "r1", reason: "running" }],
    ["a run that the plan doesn't have", { dag_id: "elsewhere", run_id: "r1", reason: "running" }],
  ])("not that while %s is refused, too", async (_, other) => {
    show(`${ADDRESS}&step=review`, { "POST /reviews": () => refusal([clean, other]) });
    expect(await screen.findByText("Some runs can't be taken.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /^Deselect/ })).toBeNull();
  });

  it("not to leave out seven runs where the source is forbidden", async () => {
    const denied = { detail: "You may not rerun them.", reason: "forbidden_dags", dag_ids: ["clean", "orders"] };
    show(`${ADDRESS}&step=review`, { "POST /reviews": () => new Refusal(403, denied) });
    expect((await screen.findAllByText(/You may not rerun them/)).length).toBeGreaterThan(0);
    expect(screen.queryByRole("button", { name: /^Deselect/ })).toBeNull();
  });
});

it("starts over from whatever was kept, when the person has agreed", async () => {
  const { router } = show(`${ADDRESS}&step=settings`);
  const user = userEvent.setup();
  const name = await screen.findByDisplayValue<HTMLInputElement>(/^orders .* downstream$/);
  const proposed = name.value;
  await user.clear(name);
  await user.type(name, "January");
  await user.click(screen.getByRole("button", { name: "Start over" }));
  const dialog = within(screen.getByRole("alertdialog"));
  expect(screen.getByDisplayValue("January")).toBeTruthy();
  await user.click(dialog.getByRole("button", { name: "Start over" }));
  await waitFor(() => expect(router.state.location.search).toContain("step=source"));
  await router.navigate(`/rerun?${ADDRESS}&step=settings`);
  expect(await screen.findByDisplayValue(proposed)).toBeTruthy();
});

it("draws the page whatever an older release has stored", async () => {
  for (const text of ["{", "7", '{"version":1,"draft":{}}', '{"version":2,"draft":{"source":{"dag_id":"orders"}}}']) {
    sessionStorage.setItem("rerun-downstream:draft:orders\u0000r1", text);
    const { unmount } = show(ADDRESS);
    expect(await screen.findByRole("button", { name: "Start over" })).toBeTruthy();
    unmount();
  }
});
