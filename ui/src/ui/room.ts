/** How a page makes do with little room. */

/** A window in which a page scrolls as a whole: parts that scroll by themselves would be too small to read in. */
export const SMALL = "@media (max-height: 699px), (max-width: 767px)";

/** A small window in which two parts still stand side by side. */
export const LOW = "@media (max-height: 699px) and (min-width: 768px)";

/** A small window that is still high enough for a line that always stays in sight. */
export const STICKY = "@media (min-height: 500px) and (max-height: 699px), (min-height: 500px) and (max-width: 767px)";

/** In a small window a part is as high as the window without what stands around it, but never lower than `least`. */
export function roomIn(least: string, around: string) {
  const height = `max(${least}, calc(100vh - ${around}))`;
  return { [SMALL]: { height, minHeight: height, flexGrow: 1, flexShrink: 0 } };
}
