import { Box, type BoxProps } from "@chakra-ui/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type Ref, useRef } from "react";

interface ScrollRegionProps extends BoxProps {
  label: string;
  ref?: Ref<HTMLDivElement>;
}

/** A framed part of the page that scrolls by itself, also by keys. */
export function ScrollRegion({ label, ...rest }: ScrollRegionProps) {
  return (
    <Box
      overflow="auto"
      borderWidth="1px"
      borderRadius="md"
      // A region that scrolls must be reachable for those who scroll by keys.
      tabIndex={0}
      role="region"
      aria-label={label}
      {...rest}
    />
  );
}

const OVERSCAN = 10;

/** Of thousands of rows in a scrolling region those in sight. `height` is a row's, or about what it will be. */
export function useRowsInSight(count: number, height: number, enabled = true) {
  const region = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => region.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
    enabled,
  });
  const rows = virtualizer.getVirtualItems();
  return { region, rows, total: virtualizer.getTotalSize(), measure: virtualizer.measureElement };
}
