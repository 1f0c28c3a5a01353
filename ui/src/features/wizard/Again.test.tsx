import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import "../../i18n";
import type { PlanBody, RerunBody } from "../../api/types";
import { LIVE } from "../../api/pace";
import { type Asked, showPage } from "../../testing/page";
import { link, plan, run, SOURCE, task } from "../../testing/plans";
import { changesOf, memberOf, rerunOf } from "../../testing/samples";
import { WizardPage } from "./WizardPage";

type Answers = Record<string, (asked: Asked) => unknown>;

const ADDRESS = "dag_id=orders&run_id=r1";
const TASKS = { task_instances: [task("load", { selected: true })], structure: [], total_entries: 1 };
const PLAN = plan([run("clean"), run("report")], [link("orders", "clean"), link("clean", "report")]);

function show(query: string, more: Answers = {}) {
  const answers: Answers = {
    "GET /dag-runs/orders/r1/task-instances": () => TASKS,
    "POST /plans": () => PLAN,
    "POST /reviews": () => ({ warnings: [], waves: [[SOURCE]], stopped: [], frozen: [] }),
    "GET /reruns": () => ({ reruns: [], total_entries: 0 }),
    "GET /notification-targets": () => ({ notification_targets: [] }),
    ...more,
  };
  return showPage(`/rerun?${query}`, "/rerun", <WizardPage />, (asked) =>
    answers[`${asked.method} ${asked.path}`]?.(asked),
  );
}

const next = () => userEvent.click(screen.getByRole("button", { name: "Next" }));

beforeEach(() => sessionStorage.clear());

describe("a rerun once more", () => {
  const MEMBERS = [
    memberOf(1, "orders", { role: "source", task_ids: ["load"] }),
    memberOf(2, "clean", { role: "downstream", task_ids: ["load", "vanished"] }),
    memberOf(3, "lost", { role: "downstream", task_ids: ["load"] }),
  ];
  const AGAIN = { "GET /reruns/7/changes": () => changesOf(rerunOf({ state: "terminated", final: true }), MEMBERS) };

  it("begins like its record, and says what of it can't be selected any more", async () => {
    const { asked, router } = show(`${ADDRESS}&again=7`, AGAIN);
    const told = await screen.findByTestId("again");
    await waitFor(() => expect(told.textContent).toContain("lost / r1 can't be selected"));
    expect(told.textContent).toContain("clean / r1 no longer has vanished");
    expect(told.textContent).toContain("1 run is downstream now that it didn't have");
    const questions = asked.filter(({ path }) => path === "/plans").map(({ body }) => (body as PlanBody).task_ids);
    expect(questions).toEqual([["load"]]);
    await next();
    await screen.findByRole("radio", { name: "Flow" });
    expect(router.state.location.search).toContain("again=7");
    await waitFor(() => expect(asked.some(({ path }) => path === "/reviews")).toBe(true));
    const body = asked.findLast(({ path }) => path === "/reviews")?.body as RerunBody;
    expect(body.members).toEqual([{ dag_id: "clean", run_id: "r1", task_ids: ["load"] }]);
    expect(body.reason).toBe("wrong rate");
  });

  const tally = async (text: string) =>
    waitFor(() => expect(screen.getByTestId("tally").textContent).toBe(`${text} downstream runs selected`));
  const unticked = async () => {
    const shown = show(`${ADDRESS}&again=7`, AGAIN);
    await tally("1 of 2");
    await next();
    await userEvent.click(await screen.findByRole("button", { name: "Select none" }));
    await tally("0 of 2");
    return shown;
  };

  it("counts what is taken, which isn't what the plan proposes", async () => {
    show(`${ADDRESS}&again=7`, AGAIN);
    await tally("1 of 2");
  });

  it("isn't what somebody finds who opens the run later", async () => {
    await unticked();
    cleanup();
    show(ADDRESS, AGAIN);
    await tally("2 of 2");
    expect(screen.queryByTestId("again")).toBeNull();
  });

  it("keeps what was chosen since through a reload, and begins from the record where it is asked for again", async () => {
    await unticked();
    cleanup();
    const { router } = show(`${ADDRESS}&again=7&step=downstream`, AGAIN);
    await tally("0 of 2");
    await act(() => router.navigate("/records/7"));
    await act(() => router.navigate(`/rerun?${ADDRESS}&again=7`));
    await tally("1 of 2");
  });

  it("is left by starting over", async () => {
    const { router } = await unticked();
    await userEvent.click(screen.getByRole("button", { name: "Start over" }));
    const dialog = await screen.findByRole("alertdialog");
    await userEvent.click(within(dialog).getByRole("button", { name: "Start over" }));
    await tally("2 of 2");
    expect(router.state.location.search).not.toContain("again=");
    expect(screen.queryByTestId("again")).toBeNull();
  });

  it("is a new one where the record can't be read, says so, and stays that", async () => {
    const { asked } = show(`${ADDRESS}&again=7`);
    await screen.findByText(/Rerun #7 can't be read/);
    await tally("2 of 2");
    await new Promise((resolve) => setTimeout(resolve, LIVE + 300));
    expect(asked.filter(({ path }) => path === "/reruns/7/changes")).toHaveLength(1);
    cleanup();
    show(`${ADDRESS}&again=7`, AGAIN);
    await screen.findByText(/Rerun #7 can't be read/);
    await tally("2 of 2");
  });

  it("isn't called a new one where its record can't be read any more", async () => {
    await unticked();
    cleanup();
    show(`${ADDRESS}&again=7&step=downstream`);
    await screen.findByText(/whether all of it can still be selected isn't known/);
    expect(screen.queryByText(/this is a new rerun/)).toBeNull();
    await tally("0 of 2");
  });

  it("asks for its record until all of it is there, and no longer", async () => {
    const { asked } = show(`${ADDRESS}&again=7`, {
      "GET /reruns/7/changes": () => changesOf(rerunOf({ state: "failed" }), MEMBERS),
    });
    await tally("1 of 2");
    const count = asked.filter(({ path }) => path === "/reruns/7/changes").length;
    await new Promise((resolve) => setTimeout(resolve, LIVE + 300));
    expect(asked.filter(({ path }) => path === "/reruns/7/changes")).toHaveLength(count);
  });
});

it("has a selection reviewed once somebody pauses, with the name that it has then", async () => {
  const { asked } = show(`${ADDRESS}&step=downstream`);
  const names = () =>
    asked.filter(({ path }) => path === "/reviews").map(({ body }) => (body as RerunBody | undefined)?.name);
  await waitFor(() => expect(names()).toEqual(["orders 2026-01-05 and 2 runs downstream"]));
  fireEvent.click(screen.getByRole("button", { name: "Select none" }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  fireEvent.click(screen.getByRole("button", { name: "Reset to default" }));
  fireEvent.click(screen.getByRole("button", { name: "Select none" }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(names()).toHaveLength(1);
  await waitFor(() => expect(names()).toEqual(["orders 2026-01-05 and 2 runs downstream", "orders 2026-01-05"]));
});

describe("the name", () => {
  const toSettings = async () => {
    const shown = show(ADDRESS);
    await screen.findByText(/Downstream of these tasks/);
    await next();
    await screen.findByRole("radio", { name: "Flow" });
    await next();
    return { ...shown, field: await screen.findByLabelText<HTMLInputElement>("Name") };
  };

  it("is proposed, in the words of the page, until somebody types another one", async () => {
    const { asked, field } = await toSettings();
    expect(field.value).toBe("orders 2026-01-05 and 2 runs downstream");
    expect(field.maxLength).toBe(500);
    await next();
    await screen.findByTestId("start-rerun");
    const name = () => (asked.findLast(({ path }) => path === "/reviews")?.body as RerunBody | undefined)?.name;
    await waitFor(() => expect(name()).toBe("orders 2026-01-05 and 2 runs downstream"));
  });

  it("doesn't change in the middle of somebody's typing", async () => {
    let arrive: (answer: unknown) => void = () => undefined;
    show(`${ADDRESS}&step=settings`, { "POST /plans": () => new Promise((resolve) => (arrive = resolve)) });
    const field = await screen.findByLabelText<HTMLInputElement>("Name");
    await userEvent.click(field);
    arrive(PLAN);
    await waitFor(() => expect(screen.getByTestId("tally").textContent).toContain("2 of 2"));
    expect(field.value).toBe("");
    await userEvent.type(field, "January", { skipClick: true });
    expect(field.value).toBe("January");
  });

  it("is the proposed one again once somebody leaves the field as it was", async () => {
    const { field } = await toSettings();
    await userEvent.click(field);
    await userEvent.tab();
    expect(field.value).toBe("orders 2026-01-05 and 2 runs downstream");
  });

  it("can be none, and the proposed one again", async () => {
    const { field } = await toSettings();
    await userEvent.clear(field);
    expect(field.value).toBe("");
    await userEvent.click(screen.getByRole("button", { name: "Use the proposed name" }));
    expect(field.value).toBe("orders 2026-01-05 and 2 runs downstream");
  });
});
