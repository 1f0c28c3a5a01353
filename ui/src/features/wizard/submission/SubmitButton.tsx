import { Button, Text } from "@chakra-ui/react";
import { MdOutlineRateReview, MdPlayArrow } from "react-icons/md";

import { useWords } from "../../../i18n/words";
import { CopyAs } from "../../../ui/CopyAs";
import { Hint } from "../../../ui/Hint";
import { rerunBody } from "../state/bodies";
import { useWizard } from "../state/context";
import { useProposedName } from "../state/name";
import { useSubmission } from "./Submission";

/** Starts the rerun, or proposes it. */
export function SubmitButton() {
  const { onlyPropose } = useSubmission();
  const { said, disabled } = useSaid();
  return (
    <>
      <SendButton propose main={onlyPropose !== null} said={said} disabled={disabled} />
      {onlyPropose === null && <SendButton propose={false} main said={said} disabled={disabled} />}
    </>
  );
}

/** Why it can't be started yet, or can only be proposed; and the rerun as it is asked for elsewhere. */
export function SubmitAside() {
  const { store, index, settling } = useWizard();
  const { onlyPropose } = useSubmission();
  const proposed = useProposedName();
  const { said } = useSaid();
  const body = () => {
    const found = index && rerunBody(store.get(), index, proposed);
    return found && { ...found, propose: onlyPropose !== null };
  };
  return (
    <>
      {said !== undefined && <Why id="cannot-start">{said}</Why>}
      <CopyAs disabled={index === undefined || settling} body={body} />
    </>
  );
}

/** Why a button can't be used; it is described by this. */
export function Why({ id, children }: { id: "blocked" | "cannot-start"; children: string }) {
  return (
    <Text id={id} color="fg.muted" aria-live={id === "cannot-start" ? "polite" : undefined}>
      {children}
    </Text>
  );
}

/** What is said of starting it, and whether it can't be. Why it is refused stands above, for a source at the top. */
function useSaid(): { said: string | undefined; disabled: boolean } {
  const { t } = useWords();
  const { index } = useWizard();
  const { review, reviewing, onlyPropose } = useSubmission();
  if (index?.plan.source.can_be_source === false || (review.isError && !reviewing)) {
    return { said: t("wizard:block.refused"), disabled: true };
  }
  if (reviewing) {
    return { said: t("wizard:block.reviewing"), disabled: true };
  }
  return { said: onlyPropose === null ? undefined : t("wizard:propose.only"), disabled: false };
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
