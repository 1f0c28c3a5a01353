/** Tables as CSV files: RFC 4180, and nothing in them that a spreadsheet would take for a formula. */

export type Cell = string | number | boolean | null | undefined;

/** A column of a file: its name, and what it has of an item. */
export type Column<Item> = readonly [name: string, of: (item: Item) => Cell];

/** With these, also in their wide forms, a spreadsheet takes a cell for a formula. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** Where a list is separated by semicolons or tabs, a spreadsheet begins a cell behind them, and behind a line's end. */
const FORMULA_INSIDE = /([;\t\r\n]"*)(?=[=+\-@＝＋－＠])/g;

/** Without it, Excel reads UTF-8 as something else. */
const BYTE_ORDER_MARK = "\uFEFF";

/** `notes`: what there is no line for, each said in the first column of a line at the end. */
export function csv<Item>(
  items: readonly Item[],
  columns: readonly Column<Item>[],
  notes: readonly string[] = [],
): string {
  const rows: Cell[][] = [
    columns.map(([name]) => name),
    ...items.map((item) => columns.map(([, of]) => of(item))),
    ...notes.map((note) => columns.map((_, index) => (index === 0 ? note : ""))),
  ];
  return BYTE_ORDER_MARK + rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: Cell): string {
  const text = String(value ?? "");
  const harmless = typeof value === "string" ? defused(text) : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function defused(text: string): string {
  const inside = text.replace(FORMULA_INSIDE, "$1'");
  return FORMULA.test(text) ? `'${inside}` : inside;
}
