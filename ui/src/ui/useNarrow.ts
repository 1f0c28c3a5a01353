import { useBreakpointValue } from "@chakra-ui/react";

/** Whether the window has room for one thing beside nothing else, as a phone's has. */
export function useNarrow(): boolean {
  return useBreakpointValue({ base: true, md: false }, { ssr: false }) ?? false;
}
