import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import type { Member, Rerun, RerunEvent } from "../../api/types";
import "../../i18n";
import en from "../../i18n/locales/en/common.json";
import { type Asked, Refusal, showPage } from "../../testing/page";
import { causeOf, changesOf, eventOf, memberOf, rerunOf } from "../../testing/samples";
import { RecordPage } from "./RerunPage";

const failed = (id: number, dag_id: string) =>
  memberOf(id, dag_id, { state: "failed", cause: causeOf("tasks_failed"), allowed_actions: ["retry", "skip"] });
const MEMBERS = [failed(1, "orders"), failed(2, "sales"), memberOf(3, "report")];
const DAGS = [
  { dag_id: "orders", owners: ["ada", "bob"], tags: ["shop"] },
  { dag_id: "sales", owners: [], tags: [] },
];

interface Shown {
  tab: string;
  rerun?: Rerun;
  members?: Member[];
  events?: RerunEvent[];
  answers?: Record<string, (asked: Asked) => unknown>;
}

function show({ tab, rerun = rerunOf(), members = MEMBERS, events = [], answers = {} }: Shown) {
  return showPage(`/records/7?tab=${tab}`, "/records/:id", <RecordPage />, (asked) => {
    const own = answers[`${asked.method} ${asked.path}`];
    if (own !== undefined) {
      return own(asked);
    }
    return {
      "/reruns/7/changes": changesOf(rerun, members, events),
      "/reruns/7/members": { members, total_entries: members.length },
      "/reruns/7/links": { links: [], total_entries: 0 },
      "/reruns/7/dags": { dags: DAGS, total_entries: 2 },
    }[asked.path];
  });
}

it("retries several failed members in one request, and says which were refused, and why", async () => {
  const results = {
    members: [memberOf(1, "orders")],
    refused: [{ member_id: 2, reason: "action_not_allowed", detail: "The member is pending.", sentence: null }],
  };
  const events = [eventOf("2026-01-05T09:05:00Z", "member_failed", { id: 31, member_id: 1 })];
  const { asked } = show({ tab: "table", events, answers: { "POST /reruns/7/members/retry": () => results } });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("checkbox", { name: "Choose all 2 failed runs" }));
  expect(screen.queryByRole("checkbox", { name: "Choose report r1" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Retry 2 runs" }));
  const dialog = await screen.findByRole("alertdialog");
  expect(dialog.textContent).toContain("Retry 2 runs?");
  await user.click(within(dialog).getByTestId("confirm"));
  const told = await screen.findByTestId("repaired");
  expect(told.textContent).toContain("Done for 1 run. 1 run was refused:");
  expect(told.textContent).toContain("sales r1: The member is pending.");
  const sent = asked.filter(({ method }) => method === "POST");
  const seen = { attempt: 0, last_event: 31 };
  expect(sent.map(({ body }) => body)).toEqual([{ members: [1, 2].map((member_id) => ({ member_id, ...seen })) }]);
  expect(screen.queryByTestId("repairs")).toBeNull();
});

it("skips those that were chosen one by one, and as many in a request as the server takes", async () => {
  const many = Array.from({ length: 150 }, (_, index) => failed(index + 1, `dag_${String(index).padStart(3, "0")}`));
  const done = () => ({ members: [], refused: [] });
  const { asked } = show({ tab: "table", members: many, answers: { "POST /reruns/7/members/skip": done } });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("checkbox", { name: "Choose all 150 failed runs" }));
  await user.click(screen.getByRole("button", { name: "Skip 150 runs" }));
  await user.click(within(await screen.findByRole("alertdialog")).getByTestId("confirm"));
  await screen.findByTestId("repaired");
  const sent = asked
    .filter(({ method }) => method === "POST")
    .map(({ body }) => (body as { members: unknown[] }).members);
  expect(sent.map(({ length }) => length)).toEqual([100, 50]);
});

it("keeps what was done before a request failed, and sends only the rest once more", async () => {
  const many = Array.from({ length: 120 }, (_, index) => failed(index + 1, `dag_${String(index).padStart(3, "0")}`));
  const sent: number[][] = [];
  const retry = ({ body }: Asked) => {
    const ids = (body as { members: { member_id: number }[] }).members.map(({ member_id }) => member_id);
    sent.push(ids);
    const refused = { member_id: 1, reason: "action_not_allowed", detail: "The member is pending.", sentence: null };
    return sent.length === 2
      ? new Refusal(503, { detail: "Too much to do.", reason: "busy" })
      : { members: many.filter(({ id }) => id > 1 && ids.includes(id)), refused: sent.length === 1 ? [refused] : [] };
  };
  show({ tab: "table", members: many, answers: { "POST /reruns/7/members/retry": retry } });
  fireEvent.click(await screen.findByRole("checkbox", { name: "Choose all 120 failed runs" }));
  fireEvent.click(screen.getByText("Retry 120 runs"));
  const chosen = await screen.findByTestId("chosen");
  expect(chosen.textContent).toMatch(/^dag_000 r1dag_001 r1.*dag_009 r1and 110 more$/);
  fireEvent.click(screen.getByTestId("confirm"));
  expect((await screen.findByTestId("problem")).textContent).toContain("Too much to do.");
  const results = "Done for 99 runs. 1 run was refused:dag_000 r1: The member is pending.";
  expect(screen.getByTestId("repaired").textContent).toBe(results);
  expect(screen.getByText("Retry 20 runs?")).toBeTruthy();
  fireEvent.click(screen.getByTestId("confirm"));
  await waitFor(() => expect(screen.queryByTestId("confirm")).toBeNull());
  expect(sent.map(({ length }) => length)).toEqual([100, 20, 20]);
  expect(sent[2]).toEqual(sent[1]);
  expect(screen.getByTestId("repaired").textContent).toContain("Done for 119 runs. 1 run was refused:");
});

it("says that a comment without an answer may have been written", async () => {
  const lost = () => new Refusal(504, "<html>");
  show({ tab: "events", rerun: rerunOf({ may_comment: true }), answers: { "POST /reruns/7/comment": lost } });
  fireEvent.change(await screen.findByLabelText(/Comment, for everybody/), { target: { value: "Late" } });
  fireEvent.click(screen.getByRole("button", { name: "Add comment" }));
  expect((await screen.findByTestId("problem")).textContent).toContain(en.problem.unsure);
});

it("offers no choice where nothing can be repaired", async () => {
  show({ tab: "table", members: [memberOf(3, "report")] });
  await screen.findByText("1 of 1 runs");
  expect(screen.queryByRole("checkbox", { name: /Choose/ })).toBeNull();
});

it("shows comments with who wrote them and when, and adds one", async () => {
  const events = [
    eventOf("2026-01-05T09:05:00Z", "commented", { actor: "ana", detail: "First line\nsecond line" }),
    eventOf("2026-01-05T09:06:00Z", "pause", { id: 2, actor: "op" }),
  ];
  const rerun = rerunOf({ may_comment: true });
  const { asked } = show({ tab: "events", rerun, events, answers: { "POST /reruns/7/comment": () => rerun } });
  const comments = await screen.findByTestId("comments");
  const [only, ...others] = within(comments).getAllByRole("listitem");
  expect(others).toEqual([]);
  expect(only?.textContent).toBe("ana · 2026-01-05 09:05:00First line\nsecond line");
  const field = within(comments).getByLabelText<HTMLTextAreaElement>(/Comment, for everybody/);
  const add = screen.getByRole("button", { name: "Add comment" });
  expect(add).toHaveProperty("disabled", true);
  await userEvent.type(field, "  The feed is right ");
  await userEvent.click(add);
  await waitFor(() => expect(field.value).toBe(""));
  expect(asked.find(({ method }) => method === "POST")?.body).toEqual({ text: "The feed is right" });
});

it("has no field for comments where the person may not act on the rerun", async () => {
  show({ tab: "events", events: [eventOf("2026-01-05T09:05:00Z", "commented", { actor: "ana", detail: "Late" })] });
  await screen.findByText("Late", { selector: "p" });
  expect(screen.queryByRole("button", { name: "Add comment" })).toBeNull();
});

it("names the owners and tags of the Dags, also beside a member", async () => {
  const { router } = show({ tab: "details" });
  const table = await screen.findByTestId("dags");
  expect(within(table).getByText("ada, bob")).toBeTruthy();
  expect(within(table).getByText("shop")).toBeTruthy();
  await router.navigate("/records/7?tab=details&member=1");
  const drawer = await screen.findByTestId("member-drawer");
  await waitFor(() => expect(drawer.textContent).toContain("ada, bob"));
  expect(drawer.textContent).toContain("shop");
});

it("shows a member's attempts side by side", async () => {
  const events = [
    eventOf("2026-01-05T09:00:00Z", "member_dispatched", { id: 1, member_id: 1 }),
    eventOf("2026-01-05T09:01:30Z", "member_failed", { id: 2, member_id: 1, cause: causeOf("tasks_failed") }),
    eventOf("2026-01-05T09:10:00Z", "member_dispatched", { id: 3, member_id: 1 }),
  ];
  const { router } = show({ tab: "details", events });
  await router.navigate("/records/7?tab=details&member=1");
  const rows = within(await screen.findByTestId("attempts")).getAllByRole("row");
  expect(rows).toHaveLength(3);
  expect(rows[1]?.textContent).toContain("00:01:30Run failed: A selected task failed");
  expect(rows[2]?.textContent).toContain("under way");
});
