/** A rerun and its parts, for tests. */

import type {
  Cause,
  CauseWord,
  Changes,
  Counts,
  Delivery,
  Estimate,
  EventAction,
  Link,
  Member,
  Proof,
  ProofCounts,
  ProofFinding,
  ProofSpot,
  ProposalReview,
  Rerun,
  RerunEvent,
  RunRef,
} from "../api/types";

export const NOBODY: Counts = {
  pending: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  frozen: 0,
  released: 0,
  stopping: 0,
  skipped: 0,
  terminated: 0,
};

export function rerunOf(changed: Partial<Rerun> = {}): Rerun {
  return {
    id: 7,
    name: null,
    reason: "wrong rate",
    state: "running",
    state_reason: null,
    cause: null,
    source: { dag_id: "orders", run_id: "r1" },
    freeze_mode: false,
    created_by: "admin",
    created_at: "2026-01-05T09:00:00Z",
    started_at: "2026-01-05T09:00:00Z",
    ended_at: null,
    counts: { ...NOBODY, succeeded: 1, failed: 1, pending: 1 },
    not_made_anew: 0,
    hidden_members: 0,
    settings: {
      max_active_members: null,
      on_failure: "continue_other_branches",
      run_on_latest_version: null,
      stop_running_on_terminate: true,
      accept_duplicate_runs: false,
      accept_unknown_offsets: false,
    },
    notifications: [],
    allowed_actions: ["pause", "terminate"],
    final: false,
    warnings: [],
    proposed_by: null,
    proposed_at: null,
    approved_by: null,
    expires_at: null,
    may_withdraw: false,
    may_comment: false,
    options: { include_manual: false, link_kinds: null, max_runs: null, max_depth: null },
    ...changed,
  };
}

export function memberOf(id: number, dag_id: string, changed: Partial<Member> = {}): Member {
  return {
    id,
    rerun_id: 7,
    dag_id,
    dag_display_name: dag_id,
    run_id: "r1",
    note: null,
    original_run_id: "r1",
    logical_date: "2026-01-05T00:00:00Z",
    run_after: "2026-01-05T00:00:00Z",
    role: "downstream",
    state: "pending",
    state_reason: null,
    cause: null,
    waiting_on: [],
    depth: 1,
    attempt: 0,
    dispatched_at: null,
    ended_at: null,
    task_ids: ["load"],
    stage: 1,
    stages: [],
    final_run_state: null,
    live: { state: "success", run_after: null, run_id: "r1" },
    allowed_actions: [],
    ...changed,
  };
}

/** A proposal's review; `waves`: what an approval would rerun, null: it would be refused. */
export function reviewOf({
  waves,
  ...changed
}: Partial<Omit<ProposalReview, "review">> & { waves: RunRef[][] | null }): ProposalReview {
  const review = waves && { waves, warnings: [], stopped: [], frozen: [], frozen_at_most: null };
  return { rerun_id: 7, review, plan_token: "now", stale: false, changes: [], refusal: null, ...changed };
}

/** The answer to whoever knows nothing yet. */
export function changesOf(rerun: Rerun, members: Member[], events: RerunEvent[] = []): Changes {
  return { cursor: "now", whole: true, more: false, rerun, members, events, look_again_after: 2 };
}

export function linkOf(from: string, to: string, changed: Partial<Link> = {}): Link {
  return {
    upstream: { dag_id: from, run_id: "r1" },
    downstream: { dag_id: to, run_id: "r1" },
    kind: "asset",
    evidence: "recorded",
    via: {},
    from_task_id: null,
    to_task_id: null,
    ...changed,
  };
}

export function eventOf(at: string, action: EventAction, changed: Partial<RerunEvent> = {}): RerunEvent {
  return {
    id: 1,
    at,
    actor: "rerun_downstream",
    action,
    member_id: null,
    detail: null,
    sentence: null,
    cause: null,
    ...changed,
  };
}

export function spotOf(dag_id: string, task_id: string | null = null): ProofSpot {
  return { dag_id, run_id: "r1", task_id };
}

export function findingOf(changed: Partial<ProofFinding> = {}): ProofFinding {
  return {
    outcome: "violation",
    reason: "read_too_early",
    reader: spotOf("report"),
    writer: spotOf("orders", "load"),
    read_at: "2026-01-05T09:10:00Z",
    written_at: "2026-01-05T09:12:00Z",
    accepted_by: null,
    ...changed,
  };
}

export function proofCounts(changed: Partial<ProofCounts> = {}): ProofCounts {
  const none = { proven: 0, not_provable: 0, violations: 0, accepted: 0, open: 0, older: 0 };
  return { links: 3, tasks: 8, orders: 5, ...none, ...changed };
}

export function proofOf({
  counts,
  ...changed
}: Partial<Omit<Proof, "counts">> & { counts?: Partial<ProofCounts> } = {}): Proof {
  return {
    rerun_id: 7,
    at: "2026-01-06T10:00:00Z",
    verdict: "proven",
    counts: proofCounts(counts),
    findings: [],
    older: [],
    hidden_runs: 0,
    hidden_findings: 0,
    hidden_older: 0,
    kept: null,
    ...changed,
  };
}

export function estimateOf(changed: Partial<Estimate> = {}): Estimate {
  const first = { id: 1, dag_id: "orders", run_id: "r1", state: "running" as const };
  const step = { stage: 1, starts_at: "2099-01-05T09:00:00Z", ends_at: "2099-01-05T09:30:00Z" };
  return {
    rerun_id: 7,
    state: "running",
    as_of: "2099-01-05T09:00:00Z",
    outlook: "expected",
    started_at: "2026-01-05T09:00:00Z",
    ends_at: "2099-01-05T10:00:00Z",
    ends_late_at: null,
    decided_by: "path",
    unknown_members: 0,
    held_up_members: 0,
    failed_members: 0,
    overdue_members: 0,
    delay: { member: first, cause: causeOf("no_pool_slots"), critical: true },
    path: [
      { member: first, waited_for: "nothing", ...step },
      { member: { ...first, id: 2, dag_id: "sales", state: "pending" }, waited_for: "upstream", ...step },
      { member: null, waited_for: "upstream", ...step },
    ],
    path_length: 3,
    members: [],
    total_entries: 0,
    hidden_members: 0,
    look_again_after: 15,
    ...changed,
  };
}

export function causeOf(word: CauseWord, by: string | null = null): Cause {
  return { word, by, detail: null };
}

/** A notification of rerun 7. */
export function deliveryOf(id: number, more: Partial<Delivery> = {}): Delivery {
  return {
    id,
    message_id: `message-${id}`,
    target: "ops",
    condition: "member_failed",
    state: "pending",
    occurrences: 1,
    members: [],
    tries: 1,
    created_at: "2026-01-05T09:05:00Z",
    next_try_at: null,
    ended_at: null,
    error: null,
    ...more,
  };
}
