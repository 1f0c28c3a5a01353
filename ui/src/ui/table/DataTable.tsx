import { chakra, Table } from "@chakra-ui/react";
import {
  type Column,
  type ColumnDef,
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  type Row,
  type SortingState,
  type TableOptions,
  useReactTable,
} from "@tanstack/react-table";
import { memo } from "react";
import { MdArrowDownward, MdArrowUpward } from "react-icons/md";

import { useWords } from "../../i18n/words";
import { ScrollRegion, useRowsInSight } from "../ScrollRegion";
import { WholeTextBox } from "./WholeTextBox";

interface DataTableProps<Item> {
  label: string;
  data: readonly Item[];
  columns: ColumnDef<Item>[];
  rowId: (item: Item) => string;
  /** How the rows are sorted, where the page knows it (a server sorts, say); else the table sorts by itself. */
  sorting?: SortingState;
  onSorting?: (sorting: SortingState) => void;
  /** The table fills the space it is given and scrolls inside, drawing only the rows in sight. */
  virtual?: boolean;
  /** More options of the table, such as grouping. */
  options?: Partial<TableOptions<Item>>;
}

const ROW_HEIGHT = 41;
const WIDTH = 8;

/** The columns' widths are given: nothing that a row contains makes it wider, higher, or another column narrower. */
const FIXED = {
  tableLayout: "fixed",
  "& td, & td p": { overflow: "hidden", textOverflow: "ellipsis" },
  "& td:not([data-wraps])": { whiteSpace: "nowrap" },
  "& th": { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  "& [data-stays]": { position: "sticky", insetEnd: 0, zIndex: 1, bg: "bg.subtle", borderStartWidth: "1px" },
} as const;

function widthOf<Item>({ columnDef }: Column<Item>): number {
  return columnDef.meta?.width ?? WIDTH;
}

function stays<Item>({ columnDef }: Column<Item>): "" | undefined {
  return columnDef.meta?.stays ? "" : undefined;
}

/** A table with sorted columns; thousands of rows scroll smoothly where it is `virtual`. */
export function DataTable<Item>(props: DataTableProps<Item>) {
  const table = useReactTable({
    data: props.data as Item[],
    columns: props.columns,
    getRowId: props.rowId,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    manualSorting: props.onSorting !== undefined,
    ...(props.sorting !== undefined && { state: { sorting: props.sorting } }),
    ...(props.onSorting !== undefined && {
      onSortingChange: (update) =>
        props.onSorting?.(typeof update === "function" ? update(props.sorting ?? []) : update),
    }),
    ...props.options,
  });
  const rows = table.getRowModel().rows;
  const columns = table.getVisibleLeafColumns();
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  const { region, rows: inSight, total } = useRowsInSight(rows.length, ROW_HEIGHT, props.virtual ?? false);
  const drawn = props.virtual ? inSight.map(({ index }) => index) : rows.map((_, index) => index);
  const { expanded, rowSelection } = table.getState();
  const first = props.virtual ? (inSight[0]?.start ?? 0) : 0;
  const last = props.virtual ? total - (inSight.at(-1)?.end ?? 0) : 0;
  return (
    <ScrollRegion
      ref={region}
      label={props.label}
      flex={props.virtual ? "1" : undefined}
      minHeight={props.virtual ? "16rem" : undefined}
      data-testid="table"
    >
      <WholeTextBox region={region} />
      <Table.Root
        size="sm"
        aria-rowcount={rows.length + 1}
        stickyHeader
        css={FIXED}
        style={{ minWidth: `${width}rem` }}
      >
        <colgroup>
          {columns.map((column) => (
            <col key={column.id} style={{ width: `${widthOf(column)}rem` }} />
          ))}
        </colgroup>
        <Table.Header>
          {table.getHeaderGroups().map((group) => (
            <Table.Row key={group.id} bg="bg.subtle">
              {group.headers.map((header) => (
                <Table.ColumnHeader
                  key={header.id}
                  data-stays={stays(header.column)}
                  aria-sort={ariaSort(header.column.getIsSorted())}
                >
                  {header.column.getCanSort() ? (
                    <SortButton
                      name={header.column.columnDef.meta?.name ?? header.id}
                      sorted={header.column.getIsSorted()}
                      onClick={header.column.getToggleSortingHandler()}
                    >
                      {flexRender(header.column.columnDef.header, header.getContext())}
                    </SortButton>
                  ) : (
                    flexRender(header.column.columnDef.header, header.getContext())
                  )}
                </Table.ColumnHeader>
              ))}
            </Table.Row>
          ))}
        </Table.Header>
        <Table.Body>
          {first > 0 && <Spacer height={first} />}
          {drawn.map((position) => {
            const row = rows[position];
            return (
              row && (
                <MemoRow
                  key={row.id}
                  row={row}
                  position={position}
                  fixed={props.virtual ?? false}
                  changes={[props.columns, props.options, expanded, rowSelection]}
                />
              )
            );
          })}
          {last > 0 && <Spacer height={last} />}
        </Table.Body>
      </Table.Root>
    </ScrollRegion>
  );
}

interface DataRowProps<Item> {
  row: Row<Item>;
  position: number;
  fixed: boolean;
  /** What a row shows besides its own data; only a change of it, or of the data, draws the row anew. */
  changes: readonly unknown[];
}

function DataRow<Item>({ row, position, fixed }: DataRowProps<Item>) {
  return (
    <Table.Row aria-rowindex={position + 2} height={fixed ? `${ROW_HEIGHT}px` : undefined} data-row={row.id}>
      {row.getVisibleCells().map((cell) => (
        <Table.Cell
          key={cell.id}
          data-cell=""
          data-stays={stays(cell.column)}
          data-wraps={!fixed && cell.column.columnDef.meta?.wraps ? "" : undefined}
        >
          {flexRender(cell.column.columnDef.cell, cell.getContext())}
        </Table.Cell>
      ))}
    </Table.Row>
  );
}

/** While one scrolls, the rows in sight stay as they are. */
const MemoRow = memo(DataRow, (one, other) => {
  const { row, position, fixed, changes } = one;
  return (
    row === other.row &&
    position === other.position &&
    fixed === other.fixed &&
    changes.every((each, index) => each === other.changes[index])
  );
}) as typeof DataRow;

function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true">
      <td style={{ height }} />
    </tr>
  );
}

function ariaSort(sorted: false | "asc" | "desc") {
  return sorted === false ? undefined : sorted === "asc" ? "ascending" : "descending";
}

interface SortButtonProps {
  name: string;
  sorted: false | "asc" | "desc";
  onClick: ((event: unknown) => void) | undefined;
  children: React.ReactNode;
}

function SortButton({ name, sorted, onClick, children }: SortButtonProps) {
  const { t } = useWords();
  return (
    <chakra.button
      type="button"
      onClick={onClick}
      title={t("sortBy", { column: name })}
      cursor="pointer"
      fontWeight="inherit"
      display="inline-flex"
      alignItems="center"
      gap={1}
    >
      {children}
      {sorted === "asc" && <MdArrowUpward aria-hidden="true" />}
      {sorted === "desc" && <MdArrowDownward aria-hidden="true" />}
    </chakra.button>
  );
}
