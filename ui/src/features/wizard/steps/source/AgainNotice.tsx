import { Alert, Link, List, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { Link as RouterLink } from "react-router";

import { keyOf } from "../../../../domain/runName";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";
import { isWhole, type Lost } from "../../state/again";
import { useLost } from "../../state/useAgain";

/** As many of a kind are named. */
const NAMED = 5;

/** Which record is being done again, and what of it can't be chosen any more. */
export function AgainNotice() {
  const { t } = useWords();
  const { again, index, instances } = useWizard();
  const lost = useLost(again, index, instances.data?.task_instances);
  if (again === undefined) {
    return null;
  }
  const missing = again.failed || again.unchecked || (lost !== undefined && !isWhole(lost));
  return (
    <Alert.Root
      status={missing ? "warning" : "info"}
      size="sm"
      textStyle="sm"
      mt={2}
      py={1.5}
      maxHeight="10rem"
      overflow="auto"
      tabIndex={missing ? 0 : undefined}
      role="status"
      data-testid="again"
    >
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>
          {again.failed ? (
            t("wizard:again.failed", { id: again.id })
          ) : (
            <Link asChild color="inherit" textDecoration="underline">
              <RouterLink to={`/records/${again.id}`}>{t("wizard:again.title", { id: again.id })}</RouterLink>
            </Link>
          )}
        </Alert.Title>
        {again.unchecked && <Alert.Description>{t("wizard:again.unchecked")}</Alert.Description>}
        {lost !== undefined && (
          <Alert.Description>
            {isWhole(lost) ? t("wizard:again.whole") : <Missing lost={lost} />}
            <Text>{t("wizard:again.consents")}</Text>
          </Alert.Description>
        )}
      </Alert.Content>
    </Alert.Root>
  );
}

function Missing({ lost }: { lost: Lost }) {
  const { t, word, list } = useWords();
  const { source } = useWizard();
  const named = ({ dag_id, run_id, logical_date }: Lost["runs"][number]["run"]) =>
    [dag_id, run_id ?? logical_date].filter(Boolean).join(" / ");
  return (
    <List.Root ps={4}>
      <Several
        items={lost.runs}
        line={({ run, reason, was }) =>
          was === undefined ? (
            <List.Item key={keyOf(run)}>
              {t("wizard:again.run", { run: named(run) })}{" "}
              {reason === null ? t("wizard:again.notInPlan") : word("reason", reason)}
            </List.Item>
          ) : (
            <List.Item key={keyOf(run)}>{t(`wizard:again.was.${was}`, { run: named(run) })}</List.Item>
          )
        }
      />
      <Several
        items={lost.tasks}
        line={({ run, names, all }) => {
          const said = !all ? "tasks" : run === null ? "noTaskOfSource" : "noTask";
          return (
            <List.Item key={keyOf(run ?? source)}>
              {t(`wizard:again.${said}`, { run: named(run ?? source), tasks: list(names) })}
            </List.Item>
          );
        }}
      />
      {lost.hidden > 0 && <List.Item>{t("wizard:again.hidden", { count: lost.hidden })}</List.Item>}
      {lost.unnamed > 0 && <List.Item>{t("wizard:again.unnamed", { count: lost.unnamed })}</List.Item>}
      {lost.replaced > 0 && <List.Item>{t("wizard:again.replaced", { count: lost.replaced })}</List.Item>}
      {lost.without > 0 && <List.Item>{t("wizard:again.without", { count: lost.without })}</List.Item>}
      {lost.options && <List.Item>{t("wizard:again.options")}</List.Item>}
      {lost.added.length > 0 && <List.Item>{t("wizard:again.added", { count: lost.added.length })}</List.Item>}
    </List.Root>
  );
}

function Several<Item>({ items, line }: { items: readonly Item[]; line: (item: Item) => ReactNode }) {
  const { t } = useWords();
  const more = items.length - NAMED;
  return (
    <>
      {items.slice(0, NAMED).map(line)}
      {more > 0 && <List.Item>{t("wizard:again.more", { count: more })}</List.Item>}
    </>
  );
}
