import { ChakraProvider } from "@chakra-ui/react";
import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import "../../i18n";
import { system } from "../theme/system";
import { DataTable } from "./DataTable";

interface Item {
  id: string;
  note: string;
}

const LONG = "long_".repeat(50);
const COLUMNS = [
  { id: "id", header: "Id", accessorKey: "id", meta: { width: 12 } },
  { id: "note", header: "Note", accessorKey: "note", meta: { width: 20 } },
  { id: "act", header: "Act", cell: () => <button type="button">Do</button>, meta: { width: 6, stays: true } },
];

/** jsdom lays nothing out: a cell is cut that holds more letters than its column is wide. */
function show(items: Item[]) {
  render(
    <ChakraProvider value={system}>
      <DataTable label="Items" data={items} columns={COLUMNS} rowId={({ id }) => id} />
    </ChakraProvider>,
  );
  screen.getAllByRole("cell").forEach((cell) => {
    Object.defineProperty(cell, "clientWidth", { value: 20 });
    Object.defineProperty(cell, "scrollWidth", { value: cell.textContent.length });
  });
}

it("gives each column its width, and the table their sum", () => {
  show([{ id: LONG, note: "short" }]);
  const widths = [...document.querySelectorAll("col")].map(({ style }) => style.width);
  expect([...widths, screen.getByRole("table").style.minWidth]).toEqual(["12rem", "20rem", "6rem", "38rem"]);
  expect(screen.getAllByRole("cell").map(({ dataset }) => dataset.stays)).toEqual([undefined, undefined, ""]);
});

it("shows by keyboard what is cut off in the row, until Escape", async () => {
  show([
    { id: LONG, note: "short" },
    { id: "one", note: "short" },
  ]);
  const [long, one] = screen.getAllByRole("button", { name: "Do" });
  await userEvent.tab();
  act(() => long?.focus());
  expect(screen.getByRole("tooltip").textContent).toBe(LONG);
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("tooltip")).toBeNull();
  act(() => one?.focus());
  expect(screen.queryByRole("tooltip")).toBeNull();
});

it("names by pointer what is cut off, and nothing else", () => {
  show([{ id: LONG, note: "short" }]);
  const [id, note] = screen.getAllByRole("cell");
  [id, note].forEach((cell) => cell && fireEvent.mouseOver(cell));
  expect([id?.title, note?.title]).toEqual([LONG, ""]);
});
