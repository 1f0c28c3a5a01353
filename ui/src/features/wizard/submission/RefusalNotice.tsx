import { Alert, Button, Link, List, Stack, Text } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router";

import type { Reason } from "../../../api/types";
import { asProblem, mayPass, type Problem } from "../../../api/problem";
import { ProblemNotice } from "../../../ui/feedback/Notices";
import { Said } from "../../../ui/Said";
import { useWords } from "../../../i18n/words";
import { keyOf } from "../../../domain/runName";
import { consentsTo } from "../../../domain/settings";
import { useWizard } from "../state/context";
import { isTaken } from "../state/plan";
import { SettingField } from "../steps/settings/SettingField";
import { useSubmission } from "./Submission";

/**
 * Why the rerun would be, or was, refused: what the server says, and the ways out. That the run can't be a source stands
 * at the top of the page, as soon as there is a plan.
 */
export function RefusalNotice({ error }: { error: unknown }) {
  const { t } = useWords();
  const { index } = useWizard();
  const problem = asProblem(error);
  const { review, submit } = useSubmission();
  const above = problem?.reason === "source_not_eligible" && index?.plan.source.can_be_source === false;
  if (problem === undefined || above) {
    return null;
  }
  return (
    <ProblemNotice
      error={problem}
      title={t("wizard:refused.title")}
      ordered={error === submit.error}
      retry={mayPass(problem) ? () => void review.refetch() : undefined}
    >
      <WayOut problem={problem} />
    </ProblemNotice>
  );
}

/** That the person may read what is selected, but not rerun it: another one has to approve it. */
export function OnlyPropose({ problem }: { problem: Problem }) {
  const { t } = useWords();
  return (
    <Alert.Root status="info" size="sm" data-testid="only-propose">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{t("wizard:propose.title")}</Alert.Title>
        <Alert.Description overflowWrap="anywhere">
          <Said detail={problem.detail} sentence={problem.sentence} /> {t("wizard:propose.what")}
        </Alert.Description>
        <ForbiddenDags dagIds={problem.extra.dag_ids} />
      </Alert.Content>
    </Alert.Root>
  );
}

function WayOut({ problem }: { problem: Problem }) {
  switch (problem.reason) {
    case "stale_plan":
      return <Changes changes={runsIn(problem.extra.changes)} />;
    case "run_in_active_rerun":
      return <ActiveRerun problem={problem} />;
    case "forbidden_dags":
      return <ForbiddenDags dagIds={problem.extra.dag_ids} />;
    case "not_selectable":
      return <NotSelectable runs={runsIn(problem.extra.runs)} />;
    default:
      return consentsTo([problem.reason]).map((name) => <SettingField key={name} name={name} />);
  }
}

interface NamedRun {
  dag_id: string;
  run_id: string;
  change?: string;
  reason?: Reason;
}

/** The runs that a refusal names; what isn't one is left out. */
export function runsIn(value: unknown): NamedRun[] {
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items.filter(
    (item): item is NamedRun => typeof item === "object" && item !== null && "dag_id" in item && "run_id" in item,
  );
}

const SHOWN = 20;

function RunItems({ runs, say }: { runs: readonly NamedRun[]; say: (run: NamedRun) => string }) {
  const { t } = useWords();
  return (
    <List.Root ps={4}>
      {runs.slice(0, SHOWN).map((run) => (
        <List.Item key={keyOf(run)} overflowWrap="anywhere">
          <strong>{run.dag_id}</strong> {run.run_id}: {say(run)}
        </List.Item>
      ))}
      {runs.length > SHOWN && <List.Item>{t("wizard:freeze.more", { count: runs.length - SHOWN })}</List.Item>}
    </List.Root>
  );
}

function Changes({ changes }: { changes: readonly NamedRun[] }) {
  const { t } = useWords();
  const { settling } = useWizard();
  const { accept } = useSubmission();
  return (
    <Stack gap={2} mt={1} align="start" data-testid="stale-plan">
      <RunItems
        runs={changes}
        say={(run) => (run.change === "added" ? t("wizard:stale.added") : t("wizard:stale.changed"))}
      />
      <Text>{t("wizard:stale.what")}</Text>
      <Button size="sm" colorPalette="brand" loading={settling} onClick={() => void accept()}>
        {t("wizard:stale.accept")}
      </Button>
    </Stack>
  );
}

function ActiveRerun({ problem }: { problem: Problem }) {
  const { t } = useWords();
  const { rerun_id: rerunId } = problem.extra;
  return (
    <Stack gap={2} mt={1} align="start">
      {typeof rerunId === "number" && (
        <Link asChild textDecoration="underline" color="inherit">
          <RouterLink to={`/records/${rerunId}`}>{t("wizard:refused.openRerun", { id: rerunId })}</RouterLink>
        </Link>
      )}
      <LeaveOut runs={runsIn([problem.extra])} />
    </Stack>
  );
}

function ForbiddenDags({ dagIds }: { dagIds: unknown }) {
  const { store, index } = useWizard();
  const named = new Set(Array.isArray(dagIds) ? dagIds : []);
  if (index === undefined || named.has(index.plan.source.dag_id)) {
    return null; // without the source there is no rerun
  }
  const runs = [...index.runs.values()].filter((run) => named.has(run.dag_id) && isTaken(run, store.get()));
  return <LeaveOut runs={runs} />;
}

function NotSelectable({ runs }: { runs: readonly NamedRun[] }) {
  const { word } = useWords();
  return (
    <Stack gap={2} mt={1} align="start">
      <RunItems runs={runs} say={(run) => word("reason", run.reason)} />
      <LeaveOut runs={runs} />
    </Stack>
  );
}

/**
 * Leaves downstream runs out of the selection. It is offered only where that helps: the source can't be left out, nor a
 * run that isn't in the plan, and with one of these in it the rerun is refused all the same.
 */
function LeaveOut({ runs }: { runs: readonly { dag_id: string; run_id: string | null }[] }) {
  const { t } = useWords();
  const { store, index } = useWizard();
  const { submit } = useSubmission();
  const keys = runs.map(keyOf);
  if (keys.length === 0 || !keys.every((key) => key !== index?.source && index?.runs.has(key))) {
    return null;
  }
  const leave = () => {
    store.dispatch({ type: "take", keys, taken: false });
    submit.reset();
  };
  return (
    <Button size="sm" variant="outline" mt={1} alignSelf="start" onClick={leave}>
      {t("wizard:refused.leaveOut", { count: keys.length })}
    </Button>
  );
}
