/** Moving about in a graph: what the keys do, and how a card is brought into view. */

import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, useCallback, useMemo } from "react";

import { type LaidOut, neighbour, type Size } from "./layout";
import { backward, forward } from "./structure";
import type { GraphProps } from "./types";
import type { FoldingState } from "./useFolding";
import type { Frame } from "./viewport";

/** At a smaller zoom than this a card that gets the focus is brought nearer. */
const READABLE = 0.6;

/**
 * Gives a card the focus, once it is drawn: cards outside the window aren't. One that isn't wholly in sight, or is too
 * small to be read, comes into the middle.
 */
export function useFocus(laidOut: LaidOut, size: Size, frame: Frame) {
  const { setCenter, getViewport } = useReactFlow();
  return useCallback(
    (key: string) => {
      const position = laidOut.positions.get(key);
      if (position === undefined) {
        return;
      }
      const room = frame.current?.getBoundingClientRect() ?? { width: 0, height: 0 };
      const { x, y, zoom } = getViewport();
      const [left, top] = [position.x * zoom + x, position.y * zoom + y];
      const across = left >= 0 && left + size.width * zoom <= room.width;
      if (!across || top < 0 || top + size.height * zoom > room.height || zoom < READABLE) {
        const middle = { x: position.x + size.width / 2, y: position.y + size.height / 2 };
        void setCenter(middle.x, middle.y, { zoom: Math.max(zoom, READABLE) });
      }
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
    [laidOut, size, frame, setCenter, getViewport],
  );
}

/** Arrows lead along the lines and up and down a level, Space selects, Enter opens, F folds a group again. */
export function useKeys(
  props: GraphProps,
  folding: FoldingState,
  laidOut: LaidOut,
  { focus, enter }: { focus: (key: string) => void; enter: () => void },
) {
  const { onKey } = props;
  const { shown, open, close } = folding;
  const before = useMemo(() => backward(shown.lines), [shown]);
  const after = useMemo(() => forward(shown.lines), [shown]);
  return (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const here = target.closest<HTMLElement>("[data-card]")?.dataset.card;
    if (target.closest("input, button, a, select, [role=menuitem]") !== null) {
      return; // the control's own keys
    }
    if (here === undefined) {
      if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        enter();
      }
      return;
    }
    const group = shown.groups.get(here);
    const acts: Partial<Record<string, () => void>> = {
      " ": () => (group ? props.groups?.onToggle?.(group.nodes) : props.onToggle?.(here)),
      Enter: () => (group ? open(here) : props.onOpen?.(here)),
    };
    const act = acts[event.key];
    if (event.key.startsWith("Arrow")) {
      const next = neighbour(event.key, here, before, after, laidOut);
      event.preventDefault();
      if (next !== undefined) {
        focus(next);
      }
    } else if (act !== undefined) {
      event.preventDefault();
      act();
    } else if (!event.ctrlKey && !event.metaKey) {
      const done = event.key.toLowerCase() === "f" && closeAround(here, folding, close);
      if (done || (group === undefined && onKey?.(here, event.key))) {
        event.preventDefault();
      }
    }
  };
}

/** Folds the innermost open group of a node again. */
function closeAround(node: string, { shown }: FoldingState, close: (key: string) => void): boolean {
  const nodes = shown.groups.get(node)?.nodes ?? [node];
  const around = [...shown.opened.values()]
    .filter((group) => group.nodes.includes(nodes[0] ?? ""))
    .sort((one, other) => one.nodes.length - other.nodes.length)[0];
  if (around !== undefined) {
    close(around.key);
  }
  return around !== undefined;
}
