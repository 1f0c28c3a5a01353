import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import type { ProposalReview, Rerun, RerunEvent } from "../../../api/types";
import "../../../i18n";
import { type Asked, Refusal, showPage } from "../../../testing/page";
import { causeOf, changesOf, eventOf, memberOf, NOBODY, rerunOf, reviewOf } from "../../../testing/samples";
import { RecordPage } from "../RerunPage";

const run = (dag_id: string) => ({ dag_id, run_id: "r1" });
const members = [memberOf(1, "orders", { role: "source" }), memberOf(2, "clean")];
const SAME = reviewOf({ waves: [[run("orders")], [run("clean")]] });
const STALE = reviewOf({
  waves: [[run("orders")], [run("clean")]],
  stale: true,
  plan_token: "fresh",
  changes: [{ ...run("clean"), change: "changed" }],
});

function proposal(changed: Partial<Rerun> = {}): Rerun {
  return rerunOf({
    state: "proposed",
    created_by: "reader",
    proposed_by: "reader",
    proposed_at: "2026-01-05T09:00:00Z",
    expires_at: "2099-01-12T09:00:00Z",
    started_at: null,
    counts: { ...NOBODY, pending: 2 },
    allowed_actions: ["approve", "reject"],
    ...changed,
  });
}

interface Answers {
  rerun?: Rerun;
  review?: ProposalReview | ((times: number) => ProposalReview);
  events?: RerunEvent[];
  decided?: unknown;
}

function show({ rerun = proposal(), review = SAME, events = [], decided = rerun }: Answers = {}) {
  let reviews = 0;
  return showPage("/records/7", "/records/:id", <RecordPage />, ({ path, method }: Asked) => {
    if (path === "/reruns/7/review") {
      reviews += 1;
      return typeof review === "function" ? review(reviews) : review;
    }
    return method === "POST"
      ? decided
      : {
          "/reruns/7/changes": changesOf(rerun, members, events),
          "/reruns/7/members": { members, total_entries: members.length },
          "/reruns/7/links": { links: [], total_entries: 0 },
        }[path];
  });
}

const posted = (asked: Asked[]) =>
  asked.filter(({ method }) => method === "POST").map(({ path, body }) => [path, body]);

it("says who proposed it and until when, and that nothing has changed", async () => {
  show();
  expect((await screen.findByTestId("proposal-standing")).textContent).toContain("Nothing has changed");
  expect(screen.getByText("Proposed By").nextSibling?.textContent).toBe("reader");
  expect(screen.getByText("Expires At").nextSibling?.textContent).toBe("2099-01-12 09:00:00");
  expect(screen.getByTestId("proposal-would").textContent).toBe("Approving it reruns 2 runs.");
  expect(screen.queryByRole("progressbar")).toBeNull();
});

it("is approved against what was proposed where nothing has changed", async () => {
  const { asked } = show();
  const user = userEvent.setup();
  await screen.findByTestId("proposal-standing");
  await user.click(screen.getByRole("button", { name: "Approve" }));
  await user.click(await screen.findByTestId("confirm"));
  await waitFor(() => expect(posted(asked)).toEqual([["/reruns/7/approve", { plan_token: null }]]));
  await waitFor(() => expect(screen.queryByTestId("confirm")).toBeNull());
});

it("says what has changed, and is approved with that", async () => {
  const { asked } = show({ review: STALE });
  const user = userEvent.setup();
  const standing = await screen.findByTestId("proposal-standing");
  expect(standing.textContent).toContain("no longer what was proposed");
  expect(within(standing).getByTestId("proposal-news").textContent).toContain("clean r1: its state, tasks or links");
  await user.click(screen.getByRole("button", { name: "Approve" }));
  const dialog = within(await screen.findByRole("alertdialog"));
  expect(dialog.getByTestId("proposal-news").textContent).toContain("clean r1");
  await user.click(dialog.getByRole("button", { name: "Approve with these changes" }));
  await waitFor(() => expect(posted(asked)).toEqual([["/reruns/7/approve", { plan_token: "fresh" }]]));
});

it("shows what has changed when an approval is refused for that, and lets it be accepted", async () => {
  const { asked } = show({
    review: (times) => (times === 1 ? SAME : STALE),
    decided: new Refusal(409, { detail: "Runs have changed.", reason: "stale_plan", changes: STALE.changes }),
  });
  const user = userEvent.setup();
  await screen.findByTestId("proposal-standing");
  await user.click(screen.getByRole("button", { name: "Approve" }));
  await user.click(await screen.findByTestId("confirm"));
  const dialog = within(await screen.findByRole("alertdialog"));
  await dialog.findByText("Runs have changed.");
  await user.click(await dialog.findByRole("button", { name: "Approve with these changes" }));
  await waitFor(() => expect(posted(asked).at(-1)).toEqual(["/reruns/7/approve", { plan_token: "fresh" }]));
});

it("says why it can't be approved now", async () => {
  const refusal = { reason: "run_in_active_rerun", detail: "clean r1 is in rerun 6.", sentence: null };
  show({ review: reviewOf({ waves: null, refusal }) });
  const standing = await screen.findByTestId("proposal-standing");
  expect(standing.textContent).toContain("It can't be approved now:clean r1 is in rerun 6.");
  expect(screen.queryByTestId("proposal-would")).toBeNull();
});

it("doesn't say that nothing has changed where it can't tell", async () => {
  show({ review: { ...SAME, stale: null } });
  const standing = await screen.findByTestId("proposal-standing");
  expect(standing.textContent).toContain("can't be told");
  expect(screen.queryByTestId("proposal-would")).toBeNull();
  expect(standing.textContent).not.toContain("Nothing has changed");
});

it("is rejected with a reason by who may approve it", async () => {
  const { asked } = show();
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Reject" }));
  await user.type(await screen.findByLabelText("Reason (optional)"), " still wrong ");
  await user.click(screen.getByTestId("confirm"));
  await waitFor(() => expect(posted(asked)).toEqual([["/reruns/7/reject", { reason: "still wrong" }]]));
});

it("is withdrawn by its proposer, also by one who may approve it", async () => {
  show({ rerun: proposal({ may_withdraw: true }) });
  await userEvent.setup().click(await screen.findByRole("button", { name: "Withdraw" }));
  expect(await screen.findByText("Withdraw this proposal?")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Reject", hidden: true })).toBeNull();
});

it("is withdrawn, without a reason, by a proposer who may not approve it", async () => {
  const { asked } = show({ rerun: proposal({ allowed_actions: ["reject"], may_withdraw: true }) });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Withdraw" }));
  expect(screen.queryByRole("button", { name: "Approve" })).toBeNull();
  await user.click(await screen.findByTestId("confirm"));
  await waitFor(() => expect(posted(asked)).toEqual([["/reruns/7/reject", { reason: null }]]));
});

it.each([
  ["approver", "Rejected by approver: still wrong"],
  ["reader", "Withdrawn by reader: still wrong"],
])("says who ended it and why: %s", async (actor, said) => {
  show({
    rerun: proposal({
      state: "terminated",
      final: true,
      cause: causeOf("proposal_rejected"),
      expires_at: null,
      allowed_actions: [],
    }),
    events: [eventOf("2026-01-05T10:00:00Z", "reject", { actor, detail: "still wrong" })],
  });
  expect((await screen.findByTestId("rerun-reason")).textContent).toBe(`${said} · 2026-01-05 10:00:00`);
  expect(screen.queryByTestId("proposal-standing")).toBeNull();
  expect(screen.queryByRole("progressbar")).toBeNull();
});

it("says that it has expired, and when", async () => {
  show({
    rerun: proposal({ state: "terminated", final: true, cause: causeOf("proposal_expired"), expires_at: null }),
    events: [eventOf("2026-01-12T09:00:00Z", "rerun_terminated", { detail: "proposal_expired" })],
  });
  expect((await screen.findByTestId("rerun-reason")).textContent).toContain("Nobody approved the proposal in time");
});

it("names both who proposed and who approved it afterwards", async () => {
  show({ rerun: proposal({ state: "running", approved_by: "boss", created_by: "boss", expires_at: null }) });
  expect((await screen.findByText("Approved By")).nextSibling?.textContent).toBe("boss");
  expect(screen.getByText("Proposed By").nextSibling?.textContent).toBe("reader");
  expect(screen.getByRole("progressbar")).toBeTruthy();
});
