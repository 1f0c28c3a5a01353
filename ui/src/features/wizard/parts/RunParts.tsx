import { chakra } from "@chakra-ui/react";
import type { ComponentProps } from "react";

import type { PlanRun } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { keyOf } from "../../../domain/runName";
import { useChoosingRuns } from "../state/choosing";
import { useWizard } from "../state/context";
import { useNames } from "../../../ui/names";
import { Tick } from "../../../ui/Tick";
import { useTaken, useTaskCount } from "../state/useTaken";

type TickRest = Omit<ComponentProps<typeof Tick>, "label" | "checked" | "onTick" | "partly">;

/** Takes a run into the rerun, or leaves it out. */
export function RunTick({ run, ...rest }: { run: PlanRun } & TickRest) {
  const { t, word } = useWords();
  const { store } = useWizard();
  const { plannedName: nameOf } = useNames();
  const { taken, way, refusal } = useTaken(run);
  return (
    <Tick
      label={t("wizard:run.select", { dag: run.dag_id, run: nameOf(run) })}
      title={refusal === null ? undefined : word("reason", refusal)}
      checked={taken}
      disabled={way === null}
      onTick={(wanted) => store.dispatch({ type: "take", keys: [keyOf(run)], taken: wanted })}
      {...rest}
    />
  );
}

const Small = chakra("button", {
  base: {
    cursor: "pointer",
    px: 1.5,
    borderWidth: "1px",
    borderRadius: "sm",
    bg: "bg",
    whiteSpace: "nowrap",
    fontSize: "xs",
    _hover: { bg: "bg.muted" },
  },
});

/** How many tasks of a run are chosen; opens the choice. */
export function TasksButton({ run, ...rest }: { run: PlanRun } & ComponentProps<typeof Small>) {
  const { t } = useWords();
  const { chooseTasks } = useChoosingRuns();
  const { plannedName: nameOf } = useNames();
  const { count, total } = useTaskCount(run);
  const text = t("wizard:run.tasks", { selected: count, count: total });
  return (
    <Small
      type="button"
      aria-label={t("wizard:run.chooseTasks", { dag: run.dag_id, run: nameOf(run), tasks: text })}
      onClick={() => chooseTasks(keyOf(run))}
      {...rest}
    >
      {text}
    </Small>
  );
}

/** What happens to a run, or why nothing can. */
export function Wayword({ run }: { run: PlanRun }) {
  const { t, word } = useWords();
  const { taken, way, refusal } = useTaken(run);
  const text =
    refusal !== null
      ? word("reason", refusal)
      : !taken
        ? t("wizard:run.leftOut")
        : way === "rerun" || way === null
          ? t("wizard:run.rerun")
          : way === "stop"
            ? t("wizard:run.stop")
            : t("wizard:run.hold");
  return <span title={text}>{text}</span>;
}
