import { Button, Text } from "@chakra-ui/react";
import { MdPlayArrow } from "react-icons/md";

import { useWords } from "../../../i18n/words";
import { CopyAs } from "../../../ui/CopyAs";
import { rerunBody } from "../state/bodies";
import { useWizard } from "../state/context";
import { useSubmission } from "./Submission";

/** Starts the rerun; where that can't be, says why. */
export function SubmitButton() {
  const { t, word } = useWords();
  const { store, index, settling } = useWizard();
  const { review, reviewing, submit, start } = useSubmission();
  const source = index?.plan.source;
  const refusal =
    source?.can_be_source === false
      ? word("reason", source.source_reason)
      : review.isError && !reviewing
        ? t("wizard:block.refused")
        : undefined;
  return (
    <>
      {refusal !== undefined && (
        <Text id="cannot-start" color="fg.muted">
          {refusal}
        </Text>
      )}
      <CopyAs disabled={index === undefined || settling} body={() => index && rerunBody(store.get(), index)} />
      <Button
        size="sm"
        colorPalette="brand"
        loading={submit.isPending}
        loadingText={t("wizard:starting")}
        disabled={refusal !== undefined || reviewing}
        aria-describedby={refusal === undefined ? undefined : "cannot-start"}
        onClick={start}
        data-testid="start-rerun"
      >
        <MdPlayArrow aria-hidden="true" />
        {t("wizard:start")}
      </Button>
    </>
  );
}
