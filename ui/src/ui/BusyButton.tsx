import { Button, type ButtonProps, Spinner } from "@chakra-ui/react";

interface BusyButtonProps extends ButtonProps {
  /** What it began goes on. */
  busy: boolean;
}

/**
 * A button that stays where it is while what it began goes on. One that is disabled meanwhile would lose the focus, and
 * whoever works by keyboard their place on the page.
 */
export function BusyButton({ busy, onClick, children, ...rest }: BusyButtonProps) {
  return (
    <Button
      {...rest}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        if (!busy) {
          onClick?.(event);
        }
      }}
    >
      {busy && <Spinner size="xs" aria-hidden="true" />}
      {children}
    </Button>
  );
}
