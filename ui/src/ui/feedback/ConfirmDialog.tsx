import { Button, Dialog, Portal } from "@chakra-ui/react";
import type { ReactNode } from "react";

import { useWords } from "../../i18n/words";
import { ProblemNotice } from "./Notices";

interface ConfirmDialogProps {
  open: boolean;
  title: string;
  /** What will happen. */
  children: ReactNode;
  confirm: string;
  danger?: boolean;
  busy?: boolean;
  /** It can't be done now; `children` say why. */
  blocked?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Says what will happen, and does it when the person agrees. It stays open with the server's sentence if refused. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { t } = useWords();
  return (
    <Dialog.Root
      role="alertdialog"
      open={props.open}
      onOpenChange={({ open }) => {
        if (!open) {
          props.onClose();
        }
      }}
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content>
            <Dialog.Header>
              <Dialog.Title>{props.title}</Dialog.Title>
            </Dialog.Header>
            <Dialog.Body display="flex" flexDirection="column" gap={3}>
              {props.children}
              <ProblemNotice ordered error={props.error} />
            </Dialog.Body>
            <Dialog.Footer>
              <Button variant="outline" onClick={props.onClose}>
                {t("action.cancel")}
              </Button>
              <Button
                colorPalette={props.danger ? "danger" : "brand"}
                loading={props.busy}
                disabled={props.blocked}
                onClick={props.onConfirm}
                data-testid="confirm"
              >
                {props.confirm}
              </Button>
            </Dialog.Footer>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
