import "@tanstack/react-table";

declare module "@tanstack/react-table" {
  // The names of the parameters are the library's.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface ColumnMeta<TData extends RowData, TValue> {
    /** The column's name in words, where its header isn't text. */
    name?: string;
    /** In rem; what is longer is cut off. A table in a wider window shares out what is left. */
    width?: number;
    /** Stays in sight where the table is wider than the window. */
    stays?: boolean;
    /** Goes on in the next line instead of being cut off, where the table's rows may be of any height. */
    wraps?: boolean;
  }
}
