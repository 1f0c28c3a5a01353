import { Button, Text } from "@chakra-ui/react";
import { MdOutlineRateReview, MdPlayArrow } from "react-icons/md";

import { useWords } from "../../../i18n/words";
import { CopyAs } from "../../../ui/CopyAs";
import { Hint } from "../../../ui/Hint";
import { rerunBody } from "../state/bodies";
import { useWizard } from "../state/context";
import { useProposedName } from "../state/name";
import { useSubmission } from "./Submission";

/** Starts the rerun, or proposes it; where neither can be, says why. */
export function SubmitButton() {
  const { t } = useWords();
  const { store, index, settling } = useWizard();
  const { review, reviewing, onlyPropose } = useSubmission();
  const proposed = useProposedName();
  // Why it is refused stands above already, for a source that can't be one at the top.
  const refused = index?.plan.source.can_be_source === false || (review.isError && !reviewing);
  const refusal = refused ? t("wizard:block.refused") : undefined;
  const body = () => {
    const found = index && rerunBody(store.get(), index, proposed);
    return found && { ...found, propose: onlyPropose !== null };
  };
  const waiting = reviewing ? t("wizard:block.reviewing") : undefined;
  const said = refusal ?? waiting ?? (onlyPropose ? t("wizard:propose.only") : undefined);
  return (
    <>
      {said !== undefined && (
        <Text id="cannot-start" color="fg.muted" aria-live="polite">
          {said}
        </Text>
      )}
      <CopyAs disabled={index === undefined || settling} body={body} />
      <SendButton propose main={onlyPropose !== null} said={said} disabled={refusal !== undefined || reviewing} />
      {onlyPropose === null && (
        <SendButton propose={false} main said={said} disabled={refusal !== undefined || reviewing} />
      )}
    </>
  );
}

interface SendButtonProps {
  propose: boolean;
  main: boolean;
  /** What stands beside it. */
  said: string | undefined;
  disabled: boolean;
}

function SendButton({ propose, main, said, disabled }: SendButtonProps) {
  const { t } = useWords();
  const { submit, start } = useSubmission();
  const mine = submit.isPending && submit.variables.propose === propose;
  return (
    <Hint text={propose ? t("wizard:propose.hint") : undefined}>
      <Button
        size="sm"
        variant={main ? "solid" : "outline"}
        colorPalette="brand"
        loading={mine}
        loadingText={t("wizard:starting")}
        disabled={disabled || submit.isPending}
        aria-describedby={said === undefined ? undefined : "cannot-start"}
        onClick={() => start(propose)}
        data-testid={propose ? "propose-rerun" : "start-rerun"}
      >
        {propose ? <MdOutlineRateReview aria-hidden="true" /> : <MdPlayArrow aria-hidden="true" />}
        {t(propose ? "wizard:propose.action" : "wizard:start")}
      </Button>
    </Hint>
  );
}
