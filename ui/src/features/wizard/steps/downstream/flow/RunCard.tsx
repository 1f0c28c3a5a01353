import { chakra } from "@chakra-ui/react";
import { createContext, memo, type ReactNode, useContext } from "react";
import { MdRemove, MdWarningAmber } from "react-icons/md";

import type { PlanRun } from "../../../../../api/types";
import { CardNote } from "../../../../../ui/graph/Cards";
import { bothNames } from "../../../../../ui/dagNames";
import { StatusBadge } from "../../../../../ui/StateBadge";
import { useWords } from "../../../../../i18n/words";
import { useWizard } from "../../../state/context";
import { RunMoment } from "../../../parts/names";
import type { PlanIndex } from "../../../state/plan";
import { RunTick, TasksButton, Wayword } from "../../../parts/RunParts";
import { useDraft } from "../../../state/store";
import { useTaken } from "../../../state/useTaken";

interface FlowState {
  /** The runs that the search found. */
  matches: ReadonlySet<string>;
  /** How many runs are folded away behind a run. */
  folds: ReadonlyMap<string, number>;
  toggle: (key: string) => void;
}

export const Flow = createContext<FlowState>({ matches: new Set(), folds: new Map(), toggle: () => undefined });

/** One style for the whole card: a graph draws many of them. */
const Card = chakra("div", {
  base: {
    height: "100%",
    display: "grid",
    gridTemplateRows: "auto auto 1fr auto",
    gap: 0.5,
    px: 2.5,
    py: 1.5,
    borderWidth: "1px",
    borderRadius: "md",
    bg: "bg.panel",
    color: "fg",
    fontSize: "xs",
    "&[data-taken]": { borderColor: "brand.solid", boxShadow: "inset 3px 0 0 var(--chakra-colors-brand-solid)" },
    "&[data-ghost]": { borderStyle: "dashed", borderColor: "fg.muted" },
    "&[data-match]": { outline: "3px solid", outlineColor: "warning.emphasized" },
    "& .line": { display: "flex", alignItems: "center", gap: "6px", minWidth: 0 },
    "& .dag": { fontWeight: "semibold", fontSize: "sm", flex: 1 },
    "& .cut": { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", minWidth: 0 },
    "& .muted": { color: "fg.muted" },
    "& .fold": { cursor: "pointer", px: 1, borderRadius: "sm", borderWidth: "1px", bg: "bg.subtle", minWidth: 5 },
  },
});

interface RunCardProps {
  index: PlanIndex;
  runKey: string;
}

/** A run of the plan, or a Dag of which the run can't be told. */
export const RunCard = memo(function RunCard({ index, runKey }: RunCardProps) {
  const run = index.runs.get(runKey);
  if (run === undefined) {
    return <UnknownCard dagId={index.unknown.get(runKey) ?? ""} />;
  }
  return runKey === index.source ? (
    <SourceCard index={index} run={run} runKey={runKey} />
  ) : (
    <DownstreamCard index={index} run={run} runKey={runKey} />
  );
});

function DownstreamCard({ index, run, runKey }: RunCardProps & { run: PlanRun }) {
  const { taken } = useTaken(run);
  return (
    <CardOfRun
      index={index}
      run={run}
      runKey={runKey}
      taken={taken}
      tick={<RunTick run={run} tabIndex={-1} />}
      tasks={run.exists && <TasksButton run={run} tabIndex={-1} />}
      what={<Wayword run={run} />}
    />
  );
}

function SourceCard({ index, run, runKey }: RunCardProps & { run: PlanRun }) {
  const { t } = useWords();
  const { store } = useWizard();
  const again = useDraft(store, (draft) => draft.rerunSource);
  return (
    <CardOfRun
      index={index}
      run={run}
      runKey={runKey}
      taken={again}
      tasks={<span>{t("count.tasks", { count: run.task_ids.length })}</span>}
      what={again ? t("wizard:run.source") : t("reason.already_right")}
    />
  );
}

interface CardOfRunProps extends RunCardProps {
  run: PlanRun;
  taken: boolean;
  tick?: ReactNode;
  tasks: ReactNode;
  /** What happens to it. */
  what: ReactNode;
}

function CardOfRun({ index, run, runKey, taken, tick, tasks, what }: CardOfRunProps) {
  const { matches } = useContext(Flow);
  const note = useContext(CardNote);
  return (
    <Card
      data-taken={taken ? "" : undefined}
      data-ghost={run.exists ? undefined : ""}
      data-match={matches.has(runKey) ? "" : undefined}
    >
      <div className="line">
        {tick}
        <span className="dag cut" title={bothNames(run.dag_display_name, run.dag_id)}>
          {run.dag_display_name}
        </span>
        <Fold index={index} runKey={runKey} />
      </div>
      <div className="muted cut" title={[run.run_id, run.note].filter(Boolean).join("\n") || undefined}>
        <RunMoment run={run} />
      </div>
      <div className="line">
        <StatusBadge status={run.status} size="xs" />
        {tasks}
      </div>
      <div className="muted cut" id={note}>
        {what}
      </div>
    </Card>
  );
}

function UnknownCard({ dagId }: { dagId: string }) {
  const { t } = useWords();
  return (
    <Card data-ghost="">
      <div className="line">
        <MdWarningAmber aria-hidden="true" />
        <span className="dag cut" title={dagId}>
          {dagId}
        </span>
      </div>
      <div className="muted">{t("run.unknown")}</div>
      <div className="muted">{t("wizard:run.unknownHint")}</div>
    </Card>
  );
}

/** Folds away what is reached only through this run; then says how many runs these are. */
function Fold({ index, runKey }: RunCardProps) {
  const { t } = useWords();
  const { folds, toggle } = useContext(Flow);
  const hidden = folds.get(runKey);
  if (!index.after.has(runKey)) {
    return null;
  }
  const label = hidden === undefined ? t("wizard:flow.fold") : t("wizard:flow.unfold", { count: hidden });
  return (
    <button
      type="button"
      className="fold"
      tabIndex={-1}
      aria-expanded={hidden === undefined}
      aria-label={label}
      title={label}
      onClick={() => toggle(runKey)}
    >
      {hidden === undefined ? <MdRemove aria-hidden="true" /> : `+${hidden}`}
    </button>
  );
}
