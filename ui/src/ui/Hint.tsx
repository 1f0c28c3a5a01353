import { Portal, Tooltip } from "@chakra-ui/react";
import type { ReactElement } from "react";

interface HintProps {
  text: string | undefined;
  /** What it is about; it can have the focus. */
  children: ReactElement;
}

/** Says more about something while the pointer or the focus is on it; a `title` comes by the pointer alone. */
export function Hint({ text, children }: HintProps) {
  if (!text) {
    return children;
  }
  return (
    <Tooltip.Root openDelay={300} closeDelay={100} lazyMount unmountOnExit>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Portal>
        <Tooltip.Positioner>
          <Tooltip.Content whiteSpace="pre-line" overflowWrap="anywhere">
            {text}
          </Tooltip.Content>
        </Tooltip.Positioner>
      </Portal>
    </Tooltip.Root>
  );
}
