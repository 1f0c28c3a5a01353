import { Badge, Flex, Table, Text } from "@chakra-ui/react";

import { useRerunDags } from "../../../api/teamwork";
import type { DagOwnership } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { Field, Loading, ProblemNotice } from "../../../ui/feedback/Notices";
import { ScrollRegion } from "../../../ui/ScrollRegion";
import { useRecord } from "../context";

/** As many are drawn; the others are in the files of the members. */
const DRAWN = 200;

/** Whose Dags take part, and how they are tagged, as their files say now. */
export function DagsOfRerun() {
  const { t } = useWords();
  const { rerun } = useRecord();
  const dags = useRerunDags(rerun.id);
  if (dags.error) {
    return <ProblemNotice error={dags.error} retry={() => void dags.refetch()} />;
  }
  if (dags.data === undefined) {
    return <Loading lines={3} />;
  }
  const more = dags.data.length - DRAWN;
  return (
    <>
      <ScrollRegion label={t("record:details.dags")} maxHeight="20rem">
        <Table.Root size="sm" stickyHeader tableLayout="fixed" minWidth="36rem" data-testid="dags">
          <Table.Header>
            <Table.Row bg="bg.subtle">
              <Table.ColumnHeader>{t("word.dag")}</Table.ColumnHeader>
              <Table.ColumnHeader>{t("record:details.owners")}</Table.ColumnHeader>
              <Table.ColumnHeader>{t("record:details.tags")}</Table.ColumnHeader>
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {dags.data.slice(0, DRAWN).map((dag) => (
              <Table.Row key={dag.dag_id}>
                <Table.Cell overflowWrap="anywhere">{dag.dag_id}</Table.Cell>
                <Table.Cell overflowWrap="anywhere">
                  <Owners of={dag} />
                </Table.Cell>
                <Table.Cell>
                  <Tags of={dag} />
                </Table.Cell>
              </Table.Row>
            ))}
          </Table.Body>
        </Table.Root>
      </ScrollRegion>
      {more > 0 && <Text color="fg.muted">{t("record:details.moreDags", { count: more })}</Text>}
      {rerun.hidden_members > 0 && (
        <Text color="fg.muted">{t("record:notice.hidden", { count: rerun.hidden_members })}</Text>
      )}
    </>
  );
}

/** The same of one Dag, as facts beside others. */
export function LabelFacts({ dagId }: { dagId: string }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const dag = useRerunDags(rerun.id).data?.find(({ dag_id }) => dag_id === dagId);
  return dag === undefined ? null : (
    <>
      <Field label={t("record:details.owners")}>
        <Owners of={dag} />
      </Field>
      <Field label={t("record:details.tags")}>
        <Tags of={dag} />
      </Field>
    </>
  );
}

function Owners({ of: { owners } }: { of: DagOwnership }) {
  const { t, list } = useWords();
  return <>{list(owners) || t("none")}</>;
}

function Tags({ of: { tags } }: { of: DagOwnership }) {
  const { t } = useWords();
  return tags.length === 0 ? (
    <>{t("none")}</>
  ) : (
    <Flex gap={1} wrap="wrap">
      {tags.map((tag) => (
        <Badge key={tag} variant="subtle" colorPalette="brand" maxWidth="100%" overflowWrap="anywhere">
          {tag}
        </Badge>
      ))}
    </Flex>
  );
}
