/** How high each card and lane of a column stands: near what it is joined to, and clear of the next one. */

import type { Item } from "./layers";

const GAP = { cards: 28, card: 18, lanes: 12 };
const SWEEPS = 6;

/** Sets `y` of every item, the order of each column kept. */
export function setHeights(columns: readonly Item[][], height: number): void {
  for (const column of columns) {
    settle(column, height, () => 0);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const column of forward ? columns : columns.toReversed()) {
      settle(column, height, (item) => mean(forward ? item.before : item.after) ?? item.y);
    }
  }
  columns.flat().forEach((item) => (item.y = Math.round(item.y)));
}

function mean(items: readonly Item[]): number | undefined {
  return items.length === 0 ? undefined : items.reduce((sum, { y }) => sum + y, 0) / items.length;
}

/** How far apart the middles of two items have to be, one below the other. */
export function apart(upper: Item, lower: Item, height: number): number {
  if (upper.lane && lower.lane) {
    return GAP.lanes;
  }
  return upper.lane || lower.lane ? height / 2 + GAP.card : height + GAP.cards;
}

/**
 * Puts each item as near as can be to where it wants to be, in the given order and clear of each other. Items that are
 * in each other's way move together, to the mean of what they want (regression with an order: pool adjacent violators).
 */
function settle(column: readonly Item[], height: number, wanted: (item: Item) => number): void {
  const blocks: { sum: number; count: number }[] = [];
  const offsets: number[] = [];
  column.forEach((item, index) => {
    const upper = column[index - 1];
    offsets.push(upper === undefined ? 0 : (offsets[index - 1] ?? 0) + apart(upper, item, height));
    let block = { sum: wanted(item) - (offsets[index] ?? 0), count: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.count >= block.sum / block.count; last = blocks.at(-1)) {
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  });
  let index = 0;
  for (const { sum, count } of blocks) {
    for (const end = index + count; index < end; index += 1) {
      const item = column[index];
      if (item !== undefined) {
        item.y = sum / count + (offsets[index] ?? 0);
      }
    }
  }
}
