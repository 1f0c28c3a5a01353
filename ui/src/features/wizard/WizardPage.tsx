import { Flex, Heading, Text } from "@chakra-ui/react";
import { useEffect, useMemo, useRef } from "react";
import { useLocation } from "react-router";

import { host } from "../../host/Host";
import { type Entry, entryOf } from "../../host/parameters";
import { DagNamesProvider } from "../../ui/dagNames";
import { Page } from "../../ui/Page";
import { SMALL } from "../../ui/room";
import { useWords } from "../../i18n/words";
import { keyOf } from "../../domain/runName";
import { useWizard, WizardContext } from "./state/context";
import { DownstreamStep } from "./steps/downstream/DownstreamStep";
import type { Step } from "./state/draft";
import { AgainNotice } from "./steps/source/AgainNotice";
import { FootBar } from "./FootBar";
import { MissingRun } from "./steps/source/MissingRun";
import { ReviewStep } from "./steps/review/ReviewStep";
import { SettingsStep } from "./steps/settings/SettingsStep";
import { SourceFacts } from "./steps/source/SourceFacts";
import { SourceNotices } from "./steps/source/SourceNotices";
import { SourceStep } from "./steps/source/SourceStep";
import { StepBar } from "./StepBar";
import { Submission } from "./submission/Submission";
import { againOf } from "./state/useAgain";
import { useWizardState } from "./state/useWizardState";

/** From a wrong run to a rerun: three steps and a review over one draft, which survives reload, login and Back. */
export function WizardPage() {
  const { search } = useLocation();
  const entry = useMemo(() => entryOf(search), [search]);
  if (entry.dagId === undefined || entry.runId === undefined) {
    return <MissingRun />;
  }
  const source = { dag_id: entry.dagId, run_id: entry.runId };
  // Another record to be like is another draft.
  const key = `${keyOf(source)} ${againOf(search) ?? ""}`;
  return <Wizard key={key} entry={entry} dagId={entry.dagId} runId={entry.runId} />;
}

const STEP_PAGES: Record<Step, () => React.ReactNode> = {
  source: SourceStep,
  downstream: DownstreamStep,
  settings: SettingsStep,
  review: ReviewStep,
};

function Wizard({ entry, dagId, runId }: { entry: Entry; dagId: string; runId: string }) {
  const { t } = useWords();
  const source = useMemo(() => ({ dag_id: dagId, run_id: runId }), [dagId, runId]);
  const state = useWizardState(source, entry);
  const name = `${t(`wizard:step.${state.step}`)} - ${dagId}`;
  const runs = useMemo(() => [...(state.index?.runs.values() ?? [])], [state.index]);
  const StepPage = STEP_PAGES[state.step];
  const onTab = host().onTab();
  return (
    <WizardContext.Provider value={state}>
      <DagNamesProvider of={runs}>
        <Submission>
          <Page fill titledByTab name={name} title={t("wizard:title")} actions={<StepBar />}>
            {!host().isAbout(dagId, runId) && <SourceFacts />}
            <AgainNotice />
            <SourceNotices />
            <Flex
              direction="column"
              flex="1"
              minHeight={0}
              overflow="auto"
              gap={2.5}
              pt={onTab ? 0 : 2}
              css={{ [SMALL]: { overflow: "visible" } }}
            >
              <StepHeading />
              <StepPage />
            </Flex>
            <FootBar />
          </Page>
        </Submission>
      </DagNamesProvider>
    </WizardContext.Provider>
  );
}

/**
 * Says where one is, and takes the focus when the step changes, so that a screen reader tells it. On a tab the line above
 * shows the step.
 */
function StepHeading() {
  const { t } = useWords();
  const { step } = useWizard();
  const heading = useRef<HTMLHeadingElement>(null);
  const last = useRef(step);
  useEffect(() => {
    if (last.current !== step) {
      last.current = step;
      heading.current?.focus();
    }
  }, [step]);
  return (
    <Flex align="baseline" columnGap={3} wrap="wrap" srOnly={host().onTab()}>
      <Heading ref={heading} as="h2" size="md" tabIndex={-1} outline="none" whiteSpace="nowrap">
        {t(`wizard:step.${step}`)}
      </Heading>
      <Text color="fg.muted">{t(`wizard:stepHint.${step}`)}</Text>
    </Flex>
  );
}
