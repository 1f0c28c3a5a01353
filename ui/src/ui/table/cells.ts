/** How names look that may be too long for their place. */

/** A button that is all of a cell's text. */
export const WHOLE_CELL = {
  color: "fg.info",
  display: "block",
  width: "100%",
  textAlign: "start",
  truncate: true,
} as const;

/** A link or a button in a line, cut off at the line's end. */
export const CUT_LINK = {
  color: "fg.info",
  display: "inline-block",
  maxWidth: "min(36rem, 100%)",
  verticalAlign: "bottom",
  textAlign: "start",
  truncate: true,
} as const;
