import { Button, Code, HStack } from "@chakra-ui/react";
import { useState } from "react";
import { MdCheck, MdLink } from "react-icons/md";

import { host } from "../host/Host";
import { useWords } from "../i18n/words";
import { copiedText } from "./clipboard";

/** Copies the address that leads back to what is shown. Where the browser doesn't let it, the address is shown. */
export function CopyLink() {
  const { t } = useWords();
  const [told, setTold] = useState<{ address: string; copied: boolean } | undefined>();
  const copy = async () => {
    const address = host().address();
    setTold({ address, copied: await copiedText(address) });
  };
  // What was said holds for the address that was copied, not for where the user has gone since.
  const current = told?.address === host().address() ? told : undefined;
  return (
    <HStack gap={1} aria-live="polite" minWidth={0} flexWrap="wrap">
      {current?.copied === false && <Code overflowWrap="anywhere">{current.address}</Code>}
      <Button size="xs" variant="ghost" onClick={() => void copy()} data-testid="copy-link">
        {current?.copied ? <MdCheck aria-hidden="true" /> : <MdLink aria-hidden="true" />}
        {current?.copied ? t("copy.done") : t("nav.copyLink")}
      </Button>
    </HStack>
  );
}
