import "@tanstack/react-table";

declare module "@tanstack/react-table" {
  // The names of the parameters are the library's.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface ColumnMeta<TData extends RowData, TValue> {
    /** The column's name in words, where its header isn't text. */
    name?: string;
  }
}
