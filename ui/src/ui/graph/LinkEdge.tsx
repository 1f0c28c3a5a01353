import { BaseEdge, type Edge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { createContext, memo, useContext, useSyncExternalStore } from "react";

export interface LinkData extends Record<string, unknown> {
  label?: string;
  title?: string;
  /** The label is shown only while one of the two cards is the current one. */
  quiet: boolean;
}

/** Which card has the focus. Only the lines of that card are drawn again when it changes. */
export class Current {
  key: string | null = null;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(key: string | null) {
    if (key !== this.key) {
      this.key = key;
      this.listeners.forEach((listener) => listener());
    }
  }
}

export const CurrentCard = createContext(new Current());

/** A line from one card to another; it stands out while one of them is the current one. */
export const LinkEdge = memo(function LinkEdge(props: EdgeProps<Edge<LinkData>>) {
  const current = useContext(CurrentCard);
  const near = useSyncExternalStore(
    current.subscribe,
    () => current.key === props.source || current.key === props.target,
  );
  const [path, labelX, labelY] = getBezierPath(props);
  const { label, title, quiet = false } = props.data ?? {};
  return (
    <g>
      {title && <title>{title}</title>}
      <BaseEdge
        path={path}
        labelX={labelX}
        labelY={labelY}
        label={quiet && !near ? undefined : label}
        markerEnd={props.markerEnd}
        style={near ? { ...props.style, stroke: "var(--chakra-colors-brand-focus-ring)", strokeWidth: 2 } : props.style}
      />
    </g>
  );
});
