import { ChakraProvider } from "@chakra-ui/react";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { BusyButton } from "./BusyButton";
import { system } from "./theme/system";

it("keeps the focus while it is busy, and does nothing twice", () => {
  const press = vi.fn();
  const button = (busy: boolean) => (
    <ChakraProvider value={system}>
      <BusyButton busy={busy} onClick={press}>
        Check
      </BusyButton>
    </ChakraProvider>
  );
  const { rerender } = render(button(false));
  const shown = screen.getByRole<HTMLButtonElement>("button", { name: "Check" });
  shown.focus();
  fireEvent.click(shown);
  rerender(button(true));
  fireEvent.click(shown);
  expect(press).toHaveBeenCalledOnce();
  expect([shown.disabled, shown.getAttribute("aria-disabled"), document.activeElement]).toEqual([false, "true", shown]);
});
