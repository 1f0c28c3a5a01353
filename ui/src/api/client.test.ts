import { expect, it } from "vitest";

import { everything } from "./client";

/** A collection whose pages are as long as the server allows, and how many of its pages are on their way at a time. */
function collection(length: number, size: number) {
  const asked = { now: 0, most: 0, offsets: [] as number[] };
  const page = async (offset: number) => {
    asked.offsets.push(offset);
    asked.now += 1;
    asked.most = Math.max(asked.most, asked.now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    asked.now -= 1;
    const items = Array.from({ length: Math.max(0, Math.min(size, length - offset)) }, (_, index) => offset + index);
    return { items, total: length };
  };
  return { asked, page };
}

it.each([
  [0, [0]],
  [3, [0]],
  [4, [0]],
  [5, [0, 4]],
  [12, [0, 4, 8]],
  [13, [0, 4, 8, 12]],
])("asks for the pages of %i things one after the other", async (length, offsets) => {
  const { asked, page } = collection(length, 4);
  expect(await everything(page)).toEqual(Array.from({ length }, (_, index) => index));
  expect(asked.offsets).toEqual(offsets);
  expect(asked.most).toBe(1);
});

it("ends where the server has less than it said", async () => {
  const { asked, page } = collection(5, 4);
  const more = async (offset: number) => ({ ...(await page(offset)), total: 100 });
  expect(await everything(more)).toHaveLength(5);
  expect(asked.offsets).toEqual([0, 4, 5]);
});
