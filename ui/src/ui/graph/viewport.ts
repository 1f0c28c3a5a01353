/** What a graph shows of itself: where it begins, and that it stays where it is while it changes. */

import { type ReactFlowInstance, useReactFlow, type Viewport } from "@xyflow/react";
import { type RefObject, useEffect, useRef } from "react";

import type { LaidOut, Size } from "./layout";
import type { GraphMemory } from "./memory";
import type { Spotlight } from "./spotlight";
import type { Shown } from "./useFolding";

const MARGIN = 32;
/** Smaller than this a whole graph isn't shown at first; its beginning is, in this size. */
const SMALLEST = 0.55;
const ZOOM = 0.85;

export type Frame = RefObject<HTMLDivElement | null>;
type Placed = Pick<LaidOut, "positions" | "columns">;

/** Small graphs are shown whole; of a large one the beginning, at a size that can be read. */
export function firstViewport({ positions, columns }: Placed, size: Size, room: Size): Viewport | undefined {
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

/** Sets the first viewport when React Flow is ready: the one that the person left, if there is one. */
export function useFirstView(laidOut: LaidOut, size: Size, frame: Frame, memory: GraphMemory | undefined) {
  return ({ setViewport }: Pick<ReactFlowInstance, "setViewport">) => {
    const room = frame.current?.getBoundingClientRect() ?? { width: 0, height: 0 };
    const viewport = memory?.viewport ?? firstViewport(laidOut, size, room);
    if (viewport !== undefined) {
      void setViewport(viewport);
    }
  };
}

interface Seen {
  laidOut: LaidOut;
  shown: Shown;
}

/** The card that another one becomes: itself, the group it's folded into, or the first one of an opened group. */
export function becomes(key: string, before: Shown, now: Shown): string | undefined {
  return now.groups.has(key) ? key : now.holder.get(before.groups.get(key)?.nodes[0] ?? key);
}

/** How far a viewport has to move so that a card stays where it is on the screen. */
export function moved(key: string, before: Seen, now: Seen) {
  const [was, is] = [
    before.laidOut.positions.get(key),
    now.laidOut.positions.get(becomes(key, before.shown, now.shown) ?? ""),
  ];
  return was && is && { x: was.x - is.x, y: was.y - is.y };
}

/**
 * Where the graph is laid out anew, the card with the focus, or else the one in the middle, stays where it is on the
 * screen. A card with the focus that is folded away hands it to its group.
 */
export function useSteady(now: Seen, size: Size, frame: Frame, light: Spotlight, focus: (key: string) => void) {
  const { getViewport, setViewport } = useReactFlow();
  const last = useRef(now);
  useEffect(() => {
    const before = last.current;
    last.current = now;
    if (before.laidOut === now.laidOut) {
      return;
    }
    const { x, y, zoom } = getViewport();
    const room = frame.current?.getBoundingClientRect() ?? { width: 0, height: 0 };
    const middle = { x: (room.width / 2 - x) / zoom, y: (room.height / 2 - y) / zoom };
    const anchor = [light.focused ?? "", ...nearTo(middle, before.laidOut, size)].find((key) =>
      moved(key, before, now),
    );
    const by = anchor === undefined ? undefined : moved(anchor, before, now);
    if (by !== undefined && (by.x !== 0 || by.y !== 0)) {
      void setViewport({ x: x + by.x * zoom, y: y + by.y * zoom, zoom });
    }
    const heir = light.focused === null ? undefined : becomes(light.focused, before.shown, now.shown);
    if (heir !== undefined && heir !== light.focused) {
      const left = document.activeElement === document.body || frame.current?.contains(document.activeElement);
      light.inherit(heir);
      if (left) {
        focus(heir);
      }
    }
  });
}

/** The cards of a layout, the nearest to a point first. */
function nearTo(point: { x: number; y: number }, { positions }: LaidOut, size: Size): string[] {
  const far = ({ x, y }: { x: number; y: number }) =>
    Math.hypot(x + size.width / 2 - point.x, y + size.height / 2 - point.y);
  return [...positions].sort(([, one], [, other]) => far(one) - far(other)).map(([key]) => key);
}
