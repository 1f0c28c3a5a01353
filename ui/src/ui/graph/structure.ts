/** Walks over a graph of runs or tasks. Keys name the nodes; cycles are allowed. */

export interface GraphEdge {
  from: string;
  to: string;
}

export type Neighbours = ReadonlyMap<string, readonly string[]>;

function neighbours(edges: readonly GraphEdge[], start: "from" | "to", end: "from" | "to"): Neighbours {
  const sets = new Map<string, Set<string>>();
  for (const edge of edges) {
    const found = sets.get(edge[start]);
    if (found === undefined) {
      sets.set(edge[start], new Set([edge[end]]));
    } else {
      found.add(edge[end]);
    }
  }
  return new Map(Array.from(sets, ([node, others]) => [node, [...others]]));
}

/** The nodes after each node, each once, in the order of the edges. */
export function forward(edges: readonly GraphEdge[]): Neighbours {
  return neighbours(edges, "from", "to");
}

/** The nodes before each node, each once, in the order of the edges. */
export function backward(edges: readonly GraphEdge[]): Neighbours {
  return neighbours(edges, "to", "from");
}

/** Everything that can be reached from the given nodes, themselves included; `closed` ones aren't left. */
export function reachable(starts: Iterable<string>, next: Neighbours, closed?: ReadonlySet<string>): Set<string> {
  const seen = new Set(starts);
  const queue = [...seen];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (closed?.has(node)) {
      continue;
    }
    for (const after of next.get(node) ?? []) {
      if (!seen.has(after)) {
        seen.add(after);
        queue.push(after);
      }
    }
  }
  return seen;
}

/**
 * How far from the beginning each node stands: one more than the furthest node before it. Edges that lead back, and so
 * would close a circle, don't count. Nodes that nothing leads to stand at 0.
 */
export function levels(nodes: readonly string[], edges: readonly GraphEdge[]): Map<string, number> {
  const { order, kept } = sorted(nodes, forward(edges));
  const level = new Map(nodes.map((node) => [node, 0]));
  for (const node of order.reverse()) {
    const here = level.get(node) ?? 0;
    for (const after of kept.get(node) ?? []) {
      level.set(after, Math.max(level.get(after) ?? 0, here + 1));
    }
  }
  return level;
}

/** The nodes, each after all that follow it, and the edges that close no circle. */
function sorted(nodes: readonly string[], next: Neighbours) {
  const order: string[] = [];
  const kept = new Map<string, string[]>();
  const left = new Map<string, boolean>(); // false: on the way that is being walked
  const enter = (node: string): [string, number] => {
    left.set(node, false);
    kept.set(node, []);
    return [node, 0];
  };
  // Depth first without recursion: a chain may have thousands of runs.
  for (const start of nodes) {
    const stack = left.has(start) ? [] : [enter(start)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const [node, at] = top;
      const after = next.get(node)?.[at];
      if (after === undefined) {
        left.set(node, true);
        order.push(node);
        stack.pop();
        continue;
      }
      top[1] += 1;
      if (left.get(after) !== false) {
        kept.get(node)?.push(after);
      }
      if (!left.has(after)) {
        stack.push(enter(after));
      }
    }
  }
  return { order, kept };
}
