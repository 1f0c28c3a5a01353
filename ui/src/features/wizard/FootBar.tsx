import { Button, Flex, HStack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";

import { areValid } from "../../domain/settings";
import { useWords } from "../../i18n/words";
import { ConfirmDialog } from "../../ui/feedback/ConfirmDialog";
import { STICKY } from "../../ui/room";
import { useNarrow } from "../../ui/useNarrow";
import { useWizard, type WizardState } from "./state/context";
import { type Draft, STEPS } from "./state/draft";
import { selection } from "./state/plan";
import { SubmitAside, SubmitButton, Why } from "./submission/SubmitButton";
import { useDraft } from "./state/store";

/** In a small window the page scrolls; where it is high enough, the ways back and on stay in sight. */
const STAYS = { [STICKY]: { position: "sticky", bottom: 0, zIndex: 1 } };

/**
 * The way back and the way on; on the last step the way on is the step's own. On a phone there is no room for more in the
 * line that stays: what else it has stands before it, at the end of the step.
 */
export function FootBar() {
  const { t } = useWords();
  const { step, goTo } = useWizard();
  const narrow = useNarrow();
  const at = STEPS.indexOf(step);
  const [before, after] = [STEPS[at - 1], STEPS[at + 1]];
  const block = useBlock();
  const why = step === "review" ? <SubmitAside /> : block === undefined ? null : <Why id="blocked">{block}</Why>;
  const aside = (
    <>
      <StartOver />
      <Tally />
    </>
  );
  return (
    <>
      {narrow && (
        <Flex align="center" columnGap={3} rowGap={1} mt={2} wrap="wrap">
          {aside}
          {why}
        </Flex>
      )}
      <Flex
        as="footer"
        align="center"
        gap={narrow ? 2 : 3}
        py={2}
        mt={2}
        borderTopWidth="1px"
        wrap={narrow ? undefined : "wrap"}
        bg="bg"
        css={STAYS}
      >
        {before && (
          <Button size="sm" variant="outline" onClick={() => goTo(before)}>
            {t("action.back")}
          </Button>
        )}
        {!narrow && aside}
        <HStack ms="auto" gap={narrow ? 2 : 3} wrap={narrow ? undefined : "wrap"} justify="end">
          {!narrow && why}
          {after && (
            <Button
              size="sm"
              colorPalette="brand"
              disabled={block !== undefined}
              aria-describedby={block === undefined ? undefined : "blocked"}
              onClick={() => goTo(after)}
            >
              {t("action.next")}
            </Button>
          )}
          {step === "review" && <SubmitButton />}
        </HStack>
      </Flex>
    </>
  );
}

/** The way back to an empty draft: whatever was entered, or kept from another day. */
function StartOver() {
  const { t } = useWords();
  const { startOver } = useWizard();
  const [asking, ask] = useState(false);
  const confirmed = () => {
    ask(false);
    startOver();
  };
  return (
    <>
      <Button size="sm" variant="ghost" onClick={() => ask(true)}>
        {t("crashed.startOver")}
      </Button>
      {asking && (
        <ConfirmDialog
          open
          title={t("wizard:startOver.title")}
          confirm={t("crashed.startOver")}
          onConfirm={confirmed}
          onClose={() => ask(false)}
        >
          <Text>{t("wizard:startOver.what")}</Text>
        </ConfirmDialog>
      )}
    </>
  );
}

/** Why one can't go on from this step, in words; undefined where one can. */
function useBlock(): string | undefined {
  const { t } = useWords();
  const { store, step, index, plan } = useWizard();
  const draft = useDraft(store, (each) => each);
  const word = blockOf(step, draft, index, plan.isError);
  return word === undefined ? undefined : t(`wizard:block.${word}`);
}

export function blockOf(
  step: WizardState["step"],
  draft: Draft,
  index: WizardState["index"],
  refused: boolean,
): "noTask" | "noPlan" | "waiting" | "nothing" | "number" | undefined {
  if (draft.tasks?.length === 0) {
    return "noTask";
  }
  if (step === "downstream" && index === undefined) {
    return refused ? "noPlan" : "waiting";
  }
  if (step !== "source" && index !== undefined && !draft.rerunSource) {
    const { rerun, stop } = selection(index, draft);
    if (rerun.length + stop.length === 0) {
      return "nothing";
    }
  }
  return step === "settings" && !areValid(draft.settings) ? "number" : undefined;
}

/** How many runs take part, of how many that were found. */
function Tally() {
  const { t } = useWords();
  const { store, index } = useWizard();
  const members = useDraft(store, (draft) => draft.members);
  const freezeMode = useDraft(store, (draft) => draft.freezeMode);
  const only = useDraft(store, (draft) => draft.only);
  const found = useMemo(
    () => (index === undefined ? undefined : selection(index, { members, freezeMode, only })),
    [index, members, freezeMode, only],
  );
  if (index === undefined || found === undefined) {
    return null;
  }
  const total = index.keys.filter((key) => index.runs.get(key)?.exists === true).length;
  const parts = [
    total === 0
      ? t("wizard:tally.none")
      : t("wizard:tally.selected", { count: found.rerun.length + found.stop.length, total }),
    found.stop.length > 0 && t("wizard:tally.stopped", { count: found.stop.length }),
    found.hold.length > 0 && t("wizard:tally.frozen", { count: found.hold.length }),
  ];
  return (
    <Text color="fg.muted" aria-live="polite" data-testid="tally">
      {parts.filter(Boolean).join(" · ")}
    </Text>
  );
}
