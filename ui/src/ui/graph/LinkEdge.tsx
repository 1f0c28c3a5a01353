import { BaseEdge, type Edge, type EdgeProps } from "@xyflow/react";
import { memo } from "react";

import { useLight } from "./spotlight";
import type { LabelledEdge } from "./types";

export interface LinkData extends Record<string, unknown> {
  line: LabelledEdge;
  path: string;
  title: string;
}

/** A line from one card to another, on the way that the layout found for it. */
export const LinkEdge = memo(function LinkEdge({ data, markerEnd, style }: EdgeProps<Edge<LinkData>>) {
  const lit = useLight((light) => data && light.ofLine(data.line));
  return (
    data && (
      <g className="link" data-lit={lit}>
        <title>{data.title}</title>
        <BaseEdge path={data.path} markerEnd={markerEnd} style={style} />
      </g>
    )
  );
});
