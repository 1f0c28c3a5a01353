import type { Viewport } from "@xyflow/react";

/** By what the nodes of large levels are folded together; `none`: every node has its card. */
export type GroupBy = "dag" | "state" | "none";

/** What is open of a graph. */
export interface Opening {
  by: GroupBy;
  /** The keys of the groups that are open. */
  open: ReadonlySet<string>;
}

/** Where a person was in a graph, for when it comes back to the screen. The page that shows it keeps one. */
export class GraphMemory {
  viewport: Viewport | undefined;
  opening: Opening = { by: "dag", open: new Set() };

  readonly see = (viewport: Viewport) => {
    this.viewport = viewport;
  };

  readonly remember = (opening: Opening) => {
    this.opening = opening;
  };
}
