import { Button, Flex, HStack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";

import type { TaskInstance } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { type Structure } from "../../../domain/tasks";
import { chosenBy, isBroken, keysOf, withFollowers } from "../state/tasks";
import { ChosenTasks } from "./chosenTasks";
import { TaskGraph } from "./TaskGraph";
import { TaskList } from "./TaskList";
import { roomIn } from "../../../ui/room";
import { Views } from "../parts/Views";

interface TaskChoiceProps {
  label: string;
  instances: readonly TaskInstance[];
  structure: Structure;
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
  /** A dialog has its own height. */
  inDialog?: boolean;
}

/** The choice of task instances of one run, as a list or on the run's own graph. */
export function TaskChoice({ label, instances, structure, chosen, onChoose, inDialog = false }: TaskChoiceProps) {
  const { t } = useWords();
  const [view, setView] = useState<"list" | "graph">("list");
  const choosing = useMemo(
    () => ({
      chosen,
      tick: (keys: Iterable<string>, wanted: boolean) => onChoose(changed(chosen, keys, wanted)),
      withDownstream: (taskId: string, keys: Iterable<string>) =>
        onChoose(changed(chosen, withFollowers(taskId, keys, instances, structure), true)),
    }),
    [chosen, onChoose, instances, structure],
  );
  return (
    <ChosenTasks.Provider value={choosing}>
      <Flex direction="column" gap={3} flex="1" minHeight="19rem" css={inDialog ? undefined : roomIn("19rem", "13rem")}>
        <HStack gap={3} wrap="wrap">
          <QuickPicks instances={instances} onChoose={onChoose} />
          <Text color="fg.muted" aria-live="polite">
            {t("wizard:tasks.chosen", { count: chosen.size, total: keysOf(instances, () => true).size })}
          </Text>
          {structure.length > 0 && (
            <HStack ms="auto">
              <Views
                label={t("wizard:view.label")}
                value={view}
                onChange={setView}
                views={[
                  { value: "list", label: t("wizard:view.list") },
                  { value: "graph", label: t("wizard:view.graph") },
                ]}
              />
            </HStack>
          )}
        </HStack>
        {view === "list" ? (
          <TaskList label={label} instances={instances} structure={structure} />
        ) : (
          <TaskGraph label={label} instances={instances} structure={structure} />
        )}
      </Flex>
    </ChosenTasks.Provider>
  );
}

function changed(chosen: ReadonlySet<string>, keys: Iterable<string>, wanted: boolean): ReadonlySet<string> {
  const next = new Set(chosen);
  for (const key of keys) {
    if (wanted) {
      next.add(key);
    } else {
      next.delete(key);
    }
  }
  return next;
}

type QuickPicksProps = Pick<TaskChoiceProps, "instances" | "onChoose">;

function QuickPicks({ instances, onChoose }: QuickPicksProps) {
  const { t } = useWords();
  const broken = useMemo(() => keysOf(instances, isBroken), [instances]);
  return (
    <HStack gap={2} role="group" aria-label={t("wizard:tasks.quickPicks")}>
      <Button size="xs" variant="outline" onClick={() => onChoose(chosenBy(null, instances))}>
        {t("wizard:tasks.preselected")}
      </Button>
      <Button size="xs" variant="outline" disabled={broken.size === 0} onClick={() => onChoose(broken)}>
        {t("wizard:tasks.broken", { count: broken.size })}
      </Button>
      <Button size="xs" variant="outline" onClick={() => onChoose(keysOf(instances, () => true))}>
        {t("wizard:tasks.all")}
      </Button>
      <Button size="xs" variant="outline" onClick={() => onChoose(new Set())}>
        {t("wizard:tasks.none")}
      </Button>
    </HStack>
  );
}
