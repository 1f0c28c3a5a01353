import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import "../../i18n";
import type { PlanBody, RerunBody } from "../../api/types";
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

  it("is a new one where the record can't be read, and says so", async () => {
    const { asked } = show(`${ADDRESS}&again=7`);
    await screen.findByText(/Rerun #7 can't be read/);
    await waitFor(() => expect(asked.some(({ path }) => path === "/plans")).toBe(true));
  });
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

  it("can be none, and the proposed one again", async () => {
    const { field } = await toSettings();
    await userEvent.clear(field);
    expect(field.value).toBe("");
    await userEvent.click(screen.getByRole("button", { name: "Use the proposed name" }));
    expect(field.value).toBe("orders 2026-01-05 and 2 runs downstream");
  });
});
