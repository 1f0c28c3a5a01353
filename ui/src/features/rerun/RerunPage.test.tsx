import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import type { Member, Rerun } from "../../api/types";
import "../../i18n";
import { type Asked, Refusal, showPage } from "../../testing/page";
import { RecordPage } from "./RerunPage";
import { causeOf, changesOf, deliveryOf, eventOf, memberOf, rerunOf } from "../../testing/samples";

const failed = memberOf(2, "finance", {
  state: "failed",
  cause: causeOf("tasks_failed"),
  attempt: 1,
  allowed_actions: ["retry", "skip"],
});

function record(rerun: Rerun, members: Member[] = [failed]) {
  return ({ path }: Asked) =>
    ({
      "/reruns/7/changes": changesOf(rerun, members, [eventOf("2026-01-05T09:05:00Z", "pause", { actor: "op" })]),
      "/reruns/7/members": { members, total_entries: members.length },
      "/reruns/7/links": { links: [], total_entries: 0 },
    })[path];
}

const show = (answer: (asked: Asked) => unknown, id = "7") =>
  showPage(`/records/${id}?tab=details`, "/records/:id", <RecordPage />, answer);

it("shows where a rerun stands, by whom and since when, and what may be done", async () => {
  show(
    record(
      rerunOf({ state: "paused", cause: causeOf("paused_by_user", "op"), allowed_actions: ["resume", "terminate"] }),
    ),
  );
  expect((await screen.findByTestId("rerun-state")).textContent).toBe("paused");
  expect(await screen.findByText(/Paused by op/)).toBeTruthy();
  expect(await screen.findByText("2026-01-05 09:05:00", { exact: false })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Resume" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Pause" })).toBeNull();
  expect(screen.getByRole("progressbar").getAttribute("aria-valuetext")).toBe("1 of 3 done, 1 failed");
});

it("shows each notification with its state, and what became of it", async () => {
  const sent = deliveryOf(1, { state: "sent", ended_at: "2026-01-05T09:06:00Z" });
  const waiting = deliveryOf(2, { condition: "paused", tries: 2, error: "http_status:503", occurrences: 3 });
  const rerun = rerunOf({ notifications: [{ target: "ops", on: ["member_failed", "paused"] }] });
  show((question) =>
    question.path === "/reruns/7/notifications"
      ? { notifications: [sent, waiting], total_entries: 2 }
      : record(rerun)(question),
  );
  const told = await screen.findByTestId("deliveries");
  await waitFor(() => expect(within(told).getAllByRole("listitem")).toHaveLength(2));
  const [first, second] = within(told).getAllByRole("listitem");
  expect(first?.textContent).toContain("sent");
  expect(first?.textContent).toContain("A run failed");
  expect(second?.textContent).toMatch(/not delivered yet.*Paused by a failure × 3.*2 attempts.*http_status: 503/);
});

it("asks for no notifications where nobody is to be told", async () => {
  const { asked } = show(record(rerunOf()));
  await screen.findByTestId("details");
  expect(asked.some(({ path }) => path.endsWith("/notifications"))).toBe(false);
});

it("puts a failed member first, with its way out, and says what that does before it does it", async () => {
  const { asked } = show((question) =>
    question.method === "POST" ? memberOf(2, "finance") : record(rerunOf())(question),
  );
  const user = userEvent.setup();
  const notice = await screen.findByTestId("failed-members");
  await user.click(within(notice).getByRole("button", { name: "Skip" }));
  expect(await screen.findByText(/as if it had succeeded/)).toBeTruthy();
  expect(asked.some(({ method }) => method === "POST")).toBe(false);
  await user.click(screen.getByTestId("confirm"));
  await waitFor(() => expect(asked.find(({ method }) => method === "POST")?.path).toBe("/reruns/7/members/2/skip"));
  await waitFor(() => expect(screen.queryByTestId("confirm")).toBeNull());
});

it("keeps a dialog open with the server's sentence when it refuses", async () => {
  show((question) =>
    question.method === "POST"
      ? new Refusal(403, { detail: "You may not rerun finance.", reason: "forbidden_dags", dag_ids: ["finance"] })
      : record(rerunOf())(question),
  );
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Terminate" }));
  await user.click(await screen.findByTestId("confirm"));
  expect(await screen.findByText("You may not rerun finance.")).toBeTruthy();
  expect(screen.getByTestId("confirm")).toBeTruthy();
});

it("says that an ended record doesn't change any more, and offers nothing", async () => {
  show(record(rerunOf({ state: "succeeded", ended_at: "2026-01-05T10:00:00Z", final: true }), []));
  expect(await screen.findByTestId("record-ended")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Terminate" })).toBeNull();
});

it.each(["8", "abc", "0"])("leads back from a rerun that there isn't: %s", async (id) => {
  show(() => undefined, id);
  const link = await screen.findByRole("link", { name: "All reruns" });
  expect(link.getAttribute("href")).toBe("/records");
});

const left = {
  member_id: 2,
  dag_id: "finance",
  run_id: "r1",
  task_id: "load",
  map_index: 3,
  reason: "tasks_skipped",
  accepted_by: "ann",
  read_by: [{ dag_id: "sales", run_id: "r1" }],
};

it("says of a rerun that succeeded how much it has left as it was, and names it", async () => {
  const rerun = rerunOf({ state: "succeeded", not_made_anew: 1, allowed_actions: [] });
  show((question) =>
    question.path === "/reruns/7/not-made-anew" ? { not_made_anew: [left], total_entries: 1 } : record(rerun)(question),
  );
  expect((await screen.findByTestId("rerun-state")).textContent).toBe("succeeded, 1 not made anew");
  expect((await screen.findByTestId("left-count")).textContent).toBe("1");
  await userEvent.setup().click(screen.getByRole("tab", { name: /Not made anew/ }));
  const row = await screen.findByRole("row", { name: /load\[3\]/ });
  expect(row.textContent).toContain("although it had succeeded before");
  expect(row.textContent).toContain("ann");
  expect(row.textContent).toContain("sales");
});

it("names the run on top of which something was made anew", async () => {
  const rebuilt = { ...left, reason: "rebuilt_on_polluted", because_of: { dag_id: "middle", run_id: "m1" } };
  show((question) =>
    question.path === "/reruns/7/not-made-anew"
      ? { not_made_anew: [rebuilt, { ...rebuilt, task_id: "other", because_of: null }], total_entries: 2 }
      : record(rerunOf({ state: "succeeded", not_made_anew: 2, allowed_actions: [] }))(question),
  );
  await userEvent.setup().click(await screen.findByRole("tab", { name: /Not made anew/ }));
  expect((await screen.findByRole("row", { name: /load\[3\]/ })).textContent).toContain("on top of middle / m1");
  expect((await screen.findByRole("row", { name: /other/ })).textContent).toContain("on top of a run that stays");
});

it("looks like any success where everything was made anew", async () => {
  show(record(rerunOf({ state: "succeeded", allowed_actions: [] })));
  expect((await screen.findByTestId("rerun-state")).textContent).toBe("succeeded");
  expect(screen.queryByTestId("left-count")).toBeNull();
});

it("can be copied, and says what of it can't", async () => {
  show(record(rerunOf({ hidden_members: 2 }), [memberOf(1, "orders", { role: "source" }), memberOf(2, "finance")]));
  const user = userEvent.setup();
  await waitFor(() => expect(screen.getByRole("button", { name: "Copy as…" })).toHaveProperty("disabled", false));
  await user.click(screen.getByRole("button", { name: "Copy as…" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByTestId("copy-differences").textContent).toContain("2 runs of Dags you can't read are missing");
  expect(dialog.getByTestId("copy-text").textContent).toContain('{"dag_id": "finance", "run_id": "r1"');
});

const retried = eventOf("2026-01-05T09:06:00Z", "retry", { id: 2, actor: "ana", member_id: 2 });

it("sends what the person saw with an action", async () => {
  const { asked } = show((question) =>
    question.method === "POST" ? memberOf(2, "finance") : record(rerunOf())(question),
  );
  const user = userEvent.setup();
  await user.click(within(await screen.findByTestId("failed-members")).getByRole("button", { name: "Skip" }));
  await user.click(await screen.findByTestId("confirm"));
  await waitFor(() =>
    expect(asked.find(({ method }) => method === "POST")?.body).toEqual({ attempt: 1, last_event: 1 }),
  );
});

it("says in an open dialog what another person has done meanwhile, instead of doing it", async () => {
  let meanwhile = false;
  const { asked } = show((question) => {
    const now = record(rerunOf())(question);
    if (question.path !== "/reruns/7/changes" || !question.query.has("since")) {
      return now;
    }
    const news = { ...changesOf(rerunOf(), []), whole: false, rerun: null };
    return meanwhile
      ? { ...news, cursor: "later", members: [{ ...failed, attempt: 2 }], events: [retried] }
      : { ...news, look_again_after: 0.05 };
  });
  const user = userEvent.setup();
  await user.click(within(await screen.findByTestId("failed-members")).getByRole("button", { name: "Skip" }));
  expect(screen.queryByTestId("changed-meanwhile")).toBeNull();
  meanwhile = true;
  const notice = await screen.findByTestId("changed-meanwhile");
  expect(notice.textContent).toMatch(/2026-01-05 09:06:00 ana: Retry requested/);
  expect(screen.getByTestId("confirm")).toHaveProperty("disabled", true);
  expect(asked.some(({ method }) => method === "POST")).toBe(false);
});

it("says what has happened where the server was faster", async () => {
  let refused = false;
  show((question) => {
    if (question.method === "POST") {
      refused = true;
      return new Refusal(409, { detail: "Changed.", reason: "changed_meanwhile", meanwhile: [] });
    }
    const now = record(rerunOf())(question);
    return refused && question.path === "/reruns/7/changes"
      ? { ...changesOf(rerunOf(), [{ ...failed, attempt: 2 }], [retried]), whole: false, cursor: "later", rerun: null }
      : now;
  });
  const user = userEvent.setup();
  await user.click(within(await screen.findByTestId("failed-members")).getByRole("button", { name: "Skip" }));
  await user.click(await screen.findByTestId("confirm"));
  expect((await screen.findByTestId("changed-meanwhile")).textContent).toContain("ana: Retry requested");
});

it("doesn't say of an order without an answer that it keeps trying", async () => {
  show((question) => {
    if (question.method === "POST") {
      throw new TypeError("Failed to fetch");
    }
    return record(rerunOf())(question);
  });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Pause" }));
  await user.click(await screen.findByTestId("confirm"));
  const problem = await within(await screen.findByRole("alertdialog")).findByTestId("problem");
  expect(problem.textContent).toContain("may have been carried out all the same");
  expect(problem.textContent).not.toContain("keeps asking");
});
