import { CloseButton, Dialog, Portal, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

import { useWords } from "../../i18n/words";

interface LargeDialogProps {
  open: boolean;
  title: string;
  /** What it is about, below the title. */
  subtitle?: string;
  onClose: () => void;
  /** A `Dialog.Body`, and a `Dialog.Footer` where there is something to decide. */
  children: ReactNode;
  "data-testid"?: string;
}

/** A dialog for something to look at or to choose from; it takes what room there is, and Escape closes it. */
export function LargeDialog({ open, title, subtitle, onClose, children, ...rest }: LargeDialogProps) {
  const { t } = useWords();
  return (
    <Dialog.Root
      open={open}
      size="xl"
      placement="center"
      onOpenChange={(to) => {
        if (!to.open) {
          onClose();
        }
      }}
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content height="min(44rem, 92vh)" {...rest}>
            <Dialog.Header flexDirection="column" gap={1} pb={2}>
              <Dialog.Title>{title}</Dialog.Title>
              {subtitle && <Text color="fg.muted">{subtitle}</Text>}
            </Dialog.Header>
            {children}
            <Dialog.CloseTrigger asChild>
              <CloseButton size="sm" aria-label={t("action.close")} />
            </Dialog.CloseTrigger>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
