import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import i18next from "i18next";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import "../../i18n";
import type { PlanBody, RerunBody } from "../../api/types";
import { type Asked, Refusal, showPage } from "../../testing/page";
import { plan, run, SOURCE } from "../../testing/plans";
import { answers, type Answers, PLAN, REVIEW } from "../../testing/wizard";
import { WizardPage } from "./WizardPage";

function show(query: string, more?: Answers) {
  return showPage(`/rerun?${query}`, "/rerun", <WizardPage />, answers(more));
}

const ADDRESS = "dag_id=orders&run_id=r1";
const next = () => userEvent.click(screen.getByRole("button", { name: "Next" }));

beforeEach(() => sessionStorage.clear());

describe("the notification targets", () => {
  const TARGET = { name: "ops", kind: "webhook", description: "", may_test: true, last_test: null };
  const settings = async (target: object, more: Answers = {}) => {
    const shown = show(ADDRESS, { "GET /notification-targets": () => ({ notification_targets: [target] }), ...more });
    await screen.findByText(/Downstream of these tasks/);
    await next();
    await screen.findByRole("radio", { name: "Flow" });
    await next();
    return shown;
  };

  it("offer every condition, and a test", async () => {
    const { asked } = await settings(TARGET, { "POST /notification-targets/ops/test": () => ({ state: "pending" }) });
    const group = await screen.findByRole("group", { name: "ops" });
    expect(within(group).getAllByRole("checkbox")).toHaveLength(6);
    expect(within(group).getByRole("checkbox", { name: "Frozen for too long" })).toBeTruthy();
    await userEvent.click(within(group).getByRole("button", { name: "Send a test to ops" }));
    await waitFor(() => expect(asked.filter(({ path }) => path === "/notification-targets")).toHaveLength(2));
    expect(asked.some(({ method, path }) => method === "POST" && path === "/notification-targets/ops/test")).toBe(true);
  });

  it("say how the last test went", async () => {
    await settings({ ...TARGET, last_test: { state: "failed", error: "tls_error" } });
    expect((await screen.findByRole("status")).textContent).toBe("Test could not be delivered (tls_error)");
  });

  it("have no test for who may not send one", async () => {
    await settings({ ...TARGET, may_test: false });
    await screen.findByRole("group", { name: "ops" });
    expect(screen.queryByRole("button", { name: "Send a test to ops" })).toBeNull();
  });
});

describe("the wizard", () => {
  it("leads from the source to a rerun", async () => {
    const { asked, router } = show(ADDRESS);
    await screen.findByText(/Downstream of these tasks/);
    await next();
    await screen.findByRole("radio", { name: "Flow" });
    await userEvent.click(screen.getByRole("button", { name: "Select none" }));
    await userEvent.click(screen.getByRole("button", { name: "Reset to default" }));
    await next();
    await userEvent.type(screen.getByLabelText("Reason"), "wrong rate");
    await next();
    await screen.findByText("Wave 1");
    await userEvent.click(await screen.findByRole("button", { name: "Start rerun" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/records/7"));
    const body = asked.find(({ method, path }) => method === "POST" && path === "/reruns")?.body as RerunBody;
    expect(body).toMatchObject({ source: SOURCE, reason: "wrong rate", plan_token: "token" });
    expect(body.members).toEqual([
      { dag_id: "clean", run_id: "r1", task_ids: null },
      { dag_id: "report", run_id: "r1", task_ids: null },
    ]);
    expect(sessionStorage.length).toBe(0);
  });

  it("keeps what was entered through Back and a reload", async () => {
    const { router } = show(`${ADDRESS}&step=settings`);
    fireEvent.change(await screen.findByLabelText("Name"), { target: { value: "again" } });
    await userEvent.click(screen.getByRole("button", { name: "Back" }));
    expect(router.state.location.search).toContain("step=downstream");
    cleanup();
    show(`${ADDRESS}&step=settings`);
    expect(await screen.findByLabelText("Name")).toHaveProperty("value", "again");
  });

  it("asks for the plan of the task from which somebody comes, and of what follows it", async () => {
    const { asked } = show(`${ADDRESS}&task_id=extract&map_index={MAP_INDEX}`);
    await screen.findByText(/Downstream of these tasks/);
    const bodies = asked.filter(({ path }) => path === "/plans").map(({ body }) => (body as PlanBody).task_ids);
    expect(bodies).toEqual([["extract", "load"]]);
  });

  it("doesn't go on without a task, and says so", async () => {
    show(ADDRESS);
    await userEvent.click(await screen.findByRole("button", { name: "None" }));
    expect(screen.getByRole("button", { name: "Next" })).toHaveProperty("disabled", true);
    screen.getByText("Choose at least one task.");
  });

  it("shows everything of a run that can't be a source, but starts nothing", async () => {
    const source = run("orders", { can_be_source: false, source_reason: "before_ready_window" });
    show(`${ADDRESS}&step=review`, { "POST /plans": () => ({ ...PLAN, source }) });
    await screen.findByText("This run can't be the source of a rerun");
    expect(await screen.findByRole("button", { name: "Start rerun" })).toHaveProperty("disabled", true);
  });

  it.each(["downstream", "review"])(
    "says once, at the top, why a run can't be a source: on the step %s",
    async (step) => {
      const source = run("orders", { can_be_source: false, source_reason: "before_ready_window" });
      const refusal = { detail: "orders / r1 can't be the source: too early.", reason: "source_not_eligible" };
      const { asked } = show(`${ADDRESS}&step=${step}`, {
        "POST /plans": () => ({ ...PLAN, source }),
        "POST /reviews": () => new Refusal(409, refusal),
      });
      await screen.findByTestId("not-a-source");
      await waitFor(() => expect(asked.some(({ path }) => path === "/reviews")).toBe(true));
      await waitFor(() => expect(screen.queryByText(/Checking/)).toBeNull());
      await waitFor(() => expect(document.querySelector("[aria-busy=true]")).toBeNull());
      expect(screen.queryByText(refusal.detail)).toBeNull();
      expect(screen.getAllByText(/ready before the window/i)).toHaveLength(1);
    },
  );

  it("shows what changed in a stale plan, and takes the new one", async () => {
    const plans = [PLAN, { ...PLAN, plan_token: "new", runs: [run("report")] }];
    const stale = new Refusal(409, {
      detail: "1 run(s) changed since the plan was made.",
      reason: "stale_plan",
      changes: [{ dag_id: "clean", run_id: "r1", change: "changed" }],
    });
    show(`${ADDRESS}&step=review`, {
      "POST /plans": () => plans.shift(),
      "POST /reviews": ({ body }) => ((body as RerunBody).plan_token === "token" ? stale : REVIEW),
    });
    await screen.findByText("1 run(s) changed since the plan was made.");
    await userEvent.click(screen.getByRole("button", { name: "Accept the changes" }));
    await screen.findByText("No longer selected:");
    await waitFor(() => expect(screen.getByTestId("start-rerun")).toHaveProperty("disabled", false));
  });

  it.each([
    ["en", "Install the package where Dags are parsed", "Keep it."],
    ["zh-CN", "重新解析", "Keep it."],
  ] as const)("tells in %s what the Dags define, and what would make it known", async (language, words, unknown) => {
    await i18next.changeLanguage(language);
    try {
      const edge = { upstream_dag_id: "orders", kind: "sensor", via: { task_id: "wait" }, from_task_id: null };
      const { asked } = show(`${ADDRESS}&step=downstream`, {
        "POST /plans": () => plan([], []),
        "GET /dags/orders/edges": () => ({
          dag_id: "orders",
          edges: [
            {
              ...edge,
              downstream_dag_id: "report",
              evidence: "assumed",
              why: "It isn't known.",
              advice: "x",
              to_do: ["parse_again"],
              to_task_id: "wait",
            },
            {
              ...edge,
              downstream_dag_id: null,
              evidence: "unresolved",
              why: "A template.",
              advice: unknown,
              to_do: [],
              to_task_id: null,
            },
          ],
          total_entries: 2,
          hidden_dags: 1,
          warnings: [],
        }),
      });
      const tabs = await screen.findAllByRole("tab");
      await userEvent.click(screen.getByRole("tab", { name: tabs.at(-1)?.textContent ?? "" }));
      expect(asked.some(({ path }) => path === "/dags/orders/edges")).toBe(false);
      await userEvent.click((await screen.findByTestId("dag-edges")).firstElementChild as HTMLElement);
      await screen.findByText((text) => text.includes(words));
      screen.getByText("orders → report.wait");
      screen.getByText("A template.");
      screen.getByText(unknown);
      screen.getByText(/1.*Dag/);
    } finally {
      await i18next.changeLanguage("en");
    }
  });

  it("names a missing run as what it is", () => {
    show("dag_id=orders");
    expect(screen.getByRole("link", { name: "Choose a Dag run" }).getAttribute("href")).toBe("/dag-runs");
  });
});

describe("a rerun that may only be proposed", () => {
  const denied = new Refusal(403, { detail: "You may not rerun clean.", reason: "forbidden_dags", dag_ids: ["clean"] });
  const reviews = ({ body }: Asked) => ((body as RerunBody).propose ? REVIEW : denied);

  it("is shown as any other, with the reason, and proposed", async () => {
    const { asked, router } = show(`${ADDRESS}&step=review`, { "POST /reviews": reviews });
    await waitFor(() => expect(screen.getByTestId("propose-rerun")).toHaveProperty("disabled", false));
    await userEvent.click(screen.getByTestId("propose-rerun"));
    await waitFor(() => expect(router.state.location.pathname).toBe("/records/7"));
    const sent = asked.find(({ method, path }) => method === "POST" && path === "/reruns")?.body as RerunBody;
    expect(sent.propose).toBe(true);
  });

  it("can't be started, and says why", async () => {
    show(`${ADDRESS}&step=review`, { "POST /reviews": reviews });
    expect((await screen.findByTestId("only-propose")).textContent).toContain("You may not rerun clean.");
    await screen.findByText("Wave 1");
    expect(screen.queryByTestId("start-rerun")).toBeNull();
    expect(screen.queryByTestId("problem")).toBeNull();
    expect(screen.getByText("You may not rerun all of these Dags, but you can propose it.")).toBeTruthy();
  });

  it("isn't proposed where that would be refused, too", async () => {
    const refused = new Refusal(409, { detail: "No.", reason: "asset_manager_inactive" });
    const both = ({ body }: Asked) => ((body as RerunBody).propose ? refused : denied);
    show(`${ADDRESS}&step=review`, { "POST /reviews": both });
    await screen.findByText("No.");
    expect(screen.getByTestId("propose-rerun")).toHaveProperty("disabled", true);
  });
});

it("can be proposed beside being started", async () => {
  const { asked } = show(`${ADDRESS}&step=review`);
  await waitFor(() => expect(screen.getByTestId("start-rerun")).toHaveProperty("disabled", false));
  await userEvent.click(screen.getByTestId("propose-rerun"));
  const sent = () => asked.find(({ method, path }) => method === "POST" && path === "/reruns")?.body;
  await waitFor(() => expect(sent()).toMatchObject({ propose: true }));
  expect(asked.filter(({ path, body }) => path === "/reviews" && (body as RerunBody).propose)).toEqual([]);
});
