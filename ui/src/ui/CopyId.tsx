import { IconButton } from "@chakra-ui/react";
import { useState } from "react";
import { MdCheck, MdContentCopy } from "react-icons/md";

import { useWords } from "../i18n/words";
import { copiedText } from "./clipboard";

/** Copies an id that a name stands for. */
export function CopyId({ id }: { id: string }) {
  const { t } = useWords();
  const [copied, setCopied] = useState<string | undefined>();
  const copy = async () => {
    setCopied((await copiedText(id)) ? id : undefined);
  };
  return (
    <IconButton
      size="2xs"
      variant="ghost"
      aria-label={copied === id ? t("copy.done") : t("copy.id", { id })}
      onClick={() => void copy()}
    >
      {copied === id ? <MdCheck aria-hidden="true" /> : <MdContentCopy aria-hidden="true" />}
    </IconButton>
  );
}
