/** The graph of a record: its members, and the links between them as they were at submit. */

import type { Evidence, Link, LinkKind, Member } from "../../../api/types";
import type { GraphEdge } from "../../../ui/graph/structure";
import { keyOf, type RunName } from "../../../domain/runName";

/** What names a member in links. */
export type MemberName = Pick<Member, "id" | "dag_id" | "run_id" | "original_run_id" | "logical_date" | "role">;

export interface RecordEdge extends GraphEdge {
  kinds: LinkKind[];
  evidence: Evidence[];
  /** How many runs that aren't part of the rerun lie in between. */
  through: number;
}

export interface Structure {
  nodes: string[];
  edges: RecordEdge[];
  /** Runs on the way that aren't part of the rerun, by their keys. */
  others: Record<string, RunName>;
}

/** The key of a member's card. */
export function memberKey(id: number): string {
  return `member-${id}`;
}

/** The member that a key stands for; undefined: a run that isn't part of the rerun. */
export function memberIdOf(key: string): number | undefined {
  const found = /^member-(\d+)$/.exec(key);
  return found ? Number(found[1]) : undefined;
}

/**
 * Members and links, with the other runs as nodes of their own, or (`compressed`) with an edge from member to member
 * wherever a way leads through runs that aren't part of the rerun.
 */
export function structureOf(members: readonly MemberName[], links: readonly Link[], compressed: boolean): Structure {
  const keys = memberKeys(members);
  const nodes = members.map(({ id }) => memberKey(id));
  const others: Record<string, RunName> = {};
  const merged = new Map<string, RecordEdge>();
  const find = (run: RunName) => {
    const found = keys(run);
    if (found.length === 0) {
      others[keyOf(run)] = run;
    }
    return found.length > 0 ? found : [keyOf(run)];
  };
  for (const link of links) {
    for (const from of find(link.upstream)) {
      find(link.downstream).forEach((to) => from !== to && merge(merged, from, to, link));
    }
  }
  const edges = [...merged.values()];
  if (compressed) {
    return { nodes, edges: compress(nodes, edges), others };
  }
  return { nodes: [...nodes, ...Object.keys(others)], edges, others };
}

function merge(merged: Map<string, RecordEdge>, from: string, to: string, { kind, evidence }: Link): void {
  const key = `${from}\n${to}`;
  const found = merged.get(key);
  if (found === undefined) {
    merged.set(key, { from, to, kinds: [kind], evidence: [evidence], through: 0 });
    return;
  }
  found.kinds = [...new Set([...found.kinds, kind])];
  found.evidence = [...new Set([...found.evidence, evidence])];
}

/** Finds the members that a link's end means. Of runs that assets will start, the record may keep several per Dag. */
function memberKeys(members: readonly MemberName[]): (run: RunName) => string[] {
  const found = new Map<string, string[]>();
  const add = (key: string, member: MemberName) => {
    const names = found.get(key) ?? [];
    found.set(key, names.includes(memberKey(member.id)) ? names : [...names, memberKey(member.id)]);
  };
  const toCome = ({ dag_id, logical_date }: RunName) =>
    `${dag_id}\n${logical_date ? Date.parse(logical_date) : "assets"}`;
  for (const member of members) {
    for (const run_id of [member.run_id, member.original_run_id]) {
      if (run_id) {
        add(keyOf({ dag_id: member.dag_id, run_id }), member);
      }
    }
    if (member.role === "frozen") {
      add(toCome(member), member);
    }
  }
  return (run) => {
    const unresolved = !run.run_id && !run.logical_date && !run.partition_key && !run.next;
    return unresolved ? [] : (found.get(run.run_id ? keyOf(run) : toCome(run)) ?? []);
  };
}

/** Edges between the given nodes only: a way through others becomes one edge, unless there is a direct one. */
function compress(nodes: readonly string[], edges: readonly RecordEdge[]): RecordEdge[] {
  const inside = new Set(nodes);
  const leaving = new Map<string, RecordEdge[]>();
  for (const edge of edges) {
    const known = leaving.get(edge.from);
    if (known) {
      known.push(edge);
    } else {
      leaving.set(edge.from, [edge]);
    }
  }
  return nodes.flatMap((node) => waysFrom(node, leaving, inside));
}

/** The shortest way from a member to each member that follows it without another member in between. */
function waysFrom(
  start: string,
  leaving: ReadonlyMap<string, readonly RecordEdge[]>,
  inside: ReadonlySet<string>,
): RecordEdge[] {
  const found: RecordEdge[] = [];
  const seen = new Set([start]);
  let front: RecordEdge[] = [{ from: start, to: start, kinds: [], evidence: [], through: -1 }];
  while (front.length > 0) {
    const next: RecordEdge[] = [];
    for (const way of front) {
      for (const edge of leaving.get(way.to) ?? []) {
        if (!seen.has(edge.to)) {
          seen.add(edge.to);
          const longer = extended(way, edge, start);
          (inside.has(edge.to) ? found : next).push(longer);
        }
      }
    }
    front = next;
  }
  return found;
}

function extended(way: RecordEdge, edge: RecordEdge, start: string): RecordEdge {
  return {
    from: start,
    to: edge.to,
    kinds: [...new Set([...way.kinds, ...edge.kinds])],
    evidence: [...new Set([...way.evidence, ...edge.evidence])],
    through: way.through + 1,
  };
}
