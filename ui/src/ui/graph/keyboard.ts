/** Moving about in a graph: where it begins, what the keys do, and how a card is brought into view. */

import { type ReactFlowInstance, useReactFlow, type Viewport } from "@xyflow/react";
import { type KeyboardEvent, type RefObject, useCallback, useMemo } from "react";

import { type LaidOut, neighbour, type Size } from "./layout";
import { backward, forward } from "./structure";
import type { GraphProps } from "./types";

const MARGIN = 32;
/** Smaller than this a whole graph isn't shown at first; its beginning is, in this size. */
const SMALLEST = 0.55;
const ZOOM = 0.85;

/** Small graphs are shown whole; of a large one the beginning, at a size that can be read. */
export function firstViewport({ positions, columns }: LaidOut, size: Size, room: Size): Viewport | undefined {
  if (positions.size === 0 || room.width === 0) {
    return undefined;
  }
  const [x, y] = [extent(positions, "x", size.width), extent(positions, "y", size.height)];
  const fitting = Math.min((room.width - 2 * MARGIN) / x.length, (room.height - 2 * MARGIN) / y.length, 1);
  if (fitting >= SMALLEST) {
    const middle = (space: number, along: typeof x) => space / 2 - (along.from + along.length / 2) * fitting;
    return { x: middle(room.width, x), y: middle(room.height, y), zoom: fitting };
  }
  const start = positions.get(columns[0]?.[0] ?? "") ?? { x: 0, y: 0 };
  return { x: MARGIN - start.x * ZOOM, y: room.height / 2 - (start.y + size.height / 2) * ZOOM, zoom: ZOOM };
}

function extent(positions: LaidOut["positions"], axis: "x" | "y", size: number) {
  let [from, to] = [Infinity, -Infinity];
  for (const { [axis]: value } of positions.values()) {
    [from, to] = [Math.min(from, value), Math.max(to, value)];
  }
  return { from, length: to - from + size };
}

/** Sets the first viewport when React Flow is ready. */
export function useFirstView(laidOut: LaidOut, size: Size, frame: RefObject<HTMLDivElement | null>) {
  return ({ setViewport }: Pick<ReactFlowInstance, "setViewport">) => {
    const room = frame.current?.getBoundingClientRect() ?? { width: 0, height: 0 };
    const viewport = firstViewport(laidOut, size, room);
    if (viewport !== undefined) {
      void setViewport(viewport);
    }
  };
}

/** Brings a card into the middle and gives it the focus, once it is drawn: cards outside the window aren't. */
export function useFocus(laidOut: LaidOut, size: Size, frame: RefObject<HTMLDivElement | null>) {
  const { setCenter, getZoom } = useReactFlow();
  return useCallback(
    (key: string) => {
      const position = laidOut.positions.get(key);
      if (position === undefined) {
        return;
      }
      const zoom = Math.max(getZoom(), 0.6);
      void setCenter(position.x + size.width / 2, position.y + size.height / 2, { zoom });
      let tries = 30;
      const attempt = () => {
        const cards = frame.current?.querySelectorAll<HTMLElement>("[data-card]") ?? [];
        // A key has characters that a selector can't be written with.
        const found = [...cards].find((card) => card.dataset.card === key);
        if (found) {
          found.focus({ preventScroll: true });
        } else if (tries > 0) {
          tries -= 1;
          requestAnimationFrame(attempt);
        }
      };
      attempt();
    },
    [laidOut, size, frame, setCenter, getZoom],
  );
}

/** Arrows lead along the links and up and down a level, Space selects, Enter opens. */
export function useKeys(props: GraphProps, laidOut: LaidOut, focus: (key: string) => void) {
  const { edges, onToggle, onOpen, onKey } = props;
  const before = useMemo(() => backward(edges), [edges]);
  const after = useMemo(() => forward(edges), [edges]);
  return useCallback(
    (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (target.closest("input, button, a, [role=menuitem]") !== null) {
        return; // the control's own keys
      }
      const here = target.closest<HTMLElement>("[data-card]")?.dataset.card;
      if (event.key.startsWith("Arrow")) {
        const next = here === undefined ? laidOut.columns[0]?.[0] : neighbour(event.key, here, before, after, laidOut);
        event.preventDefault();
        if (next !== undefined) {
          focus(next);
        }
        return;
      }
      const acts = { " ": onToggle, Enter: onOpen }[event.key];
      if (here !== undefined && acts !== undefined) {
        event.preventDefault();
        acts(here);
      } else if (here !== undefined && !event.ctrlKey && !event.metaKey && onKey?.(here, event.key)) {
        event.preventDefault();
      }
    },
    [laidOut, before, after, focus, onToggle, onOpen, onKey],
  );
}
