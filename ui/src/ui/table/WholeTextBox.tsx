import { Box, Portal } from "@chakra-ui/react";

import { useWholeTexts } from "./wholeTexts";

/** Shows what is cut off in the row that has the focus. */
export function WholeTextBox({ region }: { region: React.RefObject<HTMLElement | null> }) {
  const shown = useWholeTexts(region);
  if (shown === null) {
    return null;
  }
  const above = shown.y > window.innerHeight * 0.75;
  return (
    <Portal>
      <Box
        role="tooltip"
        position="fixed"
        zIndex="tooltip"
        maxWidth="min(40rem, calc(100vw - 2rem))"
        px={2}
        py={1}
        borderWidth="1px"
        borderRadius="md"
        bg="bg.panel"
        boxShadow="md"
        fontSize="xs"
        style={{
          left: Math.min(shown.x, window.innerWidth / 2),
          ...(above ? { bottom: window.innerHeight - shown.y + 32 } : { top: shown.y + 8 }),
        }}
      >
        {shown.texts.map((text, index) => (
          <Box key={index} overflowWrap="anywhere">
            {text}
          </Box>
        ))}
      </Box>
    </Portal>
  );
}
