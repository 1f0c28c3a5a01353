/** What a proof has found, as one list, and what becomes of it on the page. */

import type {
  Member,
  Proof,
  ProofCounts,
  ProofFinding,
  ProofOlder,
  ProofOutcome,
  ProofReason,
  ProofSpot,
} from "../../../api/types";
import { keyOf } from "../../../domain/runName";

/** A check that isn't proven, or what holds older data. */
export type Found = { kind: ProofOutcome; finding: ProofFinding } | { kind: "older"; older: ProofOlder };

export type FoundKind = Found["kind"];

/** All that is to be listed, the gravest first. */
export function foundIn({ findings, older }: Pick<Proof, "findings" | "older">): Found[] {
  return [
    ...findings.map((finding): Found => ({ kind: finding.outcome, finding })),
    ...older.map((each): Found => ({ kind: "older", older: each })),
  ];
}

/** The runs, or tasks of them, that something is about: what has read, and what it has read from. */
export function endsOf(found: Found): { reader: ProofSpot; writer: ProofSpot | null } {
  return found.kind === "older"
    ? { reader: found.older, writer: found.older.because_of }
    : { reader: found.finding.reader, writer: found.finding.writer };
}

export interface FoundFilter {
  /** Empty: any. */
  kind: FoundKind | "";
  search: string;
}

export function matches(found: Found, { kind, search }: FoundFilter): boolean {
  const { reader, writer } = endsOf(found);
  const names = [reader, ...(writer ? [writer] : [])].flatMap(({ dag_id, run_id, task_id }) => [
    dag_id,
    run_id,
    task_id ?? "",
  ]);
  const words = search.trim().toLowerCase();
  return (kind === "" || found.kind === kind) && names.some((name) => name.toLowerCase().includes(words));
}

/** How many of each kind there are in the whole proof, whoever may read them. */
export function countOf(kind: FoundKind, counts: ProofCounts): number {
  const of: Record<FoundKind, number> = {
    violation: counts.violations,
    accepted: counts.accepted,
    not_provable: counts.not_provable,
    older: counts.older,
    proven: counts.proven,
  };
  return of[kind];
}

/** How much is neither listed nor hidden: the server lists only so much. */
export function leftOut(proof: Proof): number {
  const { violations, accepted, not_provable, older } = proof.counts;
  const listed = proof.findings.length + proof.older.length;
  return violations + accepted + not_provable + older - proof.hidden_findings - proof.hidden_older - listed;
}

export function sameCounts(one: ProofCounts, other: ProofCounts): boolean {
  return (Object.keys(one) as (keyof ProofCounts)[]).every((name) => one[name] === other[name]);
}

/** The members by their run. */
export function membersByRun(members: readonly Member[]): Map<string, number> {
  return new Map(members.map((member) => [keyOf(member), member.id]));
}

/** Reasons that say something else where there is one run alone, and none that it reads from. */
type Alone = Extract<ProofReason, "clocks_differ" | "no_record">;

export type Said = `said.${ProofReason}` | `alone.${Alone}` | "said.older";

/** Which sentence of the catalogue says it. */
export function sentenceOf(found: Found): Said {
  if (found.kind === "older") {
    return "said.older";
  }
  const { reason, writer } = found.finding;
  return writer === null && (reason === "clocks_differ" || reason === "no_record")
    ? `alone.${reason}`
    : `said.${reason}`;
}

/** What is known of when it happened, and under which words. */
export function timesOf(found: Found): { what: "read" | "written" | "began" | "ended"; at: string }[] {
  if (found.kind === "older") {
    return [];
  }
  const { reader, writer, read_at, written_at } = found.finding;
  const within = writer?.dag_id === reader.dag_id && writer.run_id === reader.run_id;
  return [
    ...(read_at === null ? [] : [{ what: within ? "began" : "read", at: read_at } as const]),
    ...(written_at === null ? [] : [{ what: within ? "ended" : "written", at: written_at } as const]),
  ];
}

/** Who accepted it; null: nobody, or nobody knows who. */
export function acceptedBy(found: Found): string | null {
  return found.kind === "older" ? found.older.accepted_by : found.finding.accepted_by;
}
