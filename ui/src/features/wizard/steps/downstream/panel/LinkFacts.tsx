import { Badge, Box, chakra, HStack, Text } from "@chakra-ui/react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "../../../../../host/preferences";
import type { Link } from "../../../../../api/types";
import { shownDate } from "../../../../../domain/dates";
import { useWords } from "../../../../../i18n/words";
import { RunCell } from "../../../parts/names";

const Seen = chakra("dl", {
  base: {
    display: "grid",
    gridTemplateColumns: "auto 1fr",
    columnGap: 2,
    fontSize: "xs",
    "& dt": { color: "fg.muted" },
    "& dd": { overflowWrap: "anywhere" },
  },
});

/** How a run was reached: from which run, by what, how that is known, and what was seen. */
export function LinkFacts({ link }: { link: Link }) {
  const { t, word } = useWords();
  const { i18n } = useTranslation();
  const seen = useSeen(link);
  return (
    <Box borderWidth="1px" borderRadius="md" p={2}>
      <HStack wrap="wrap" gap={1.5}>
        <Badge>{word("linkKind", link.kind)}</Badge>
        <Badge variant="outline" title={word("evidenceMeaning", link.evidence)}>
          {word("evidence", link.evidence)}
        </Badge>
      </HStack>
      <Text mt={1} overflowWrap="anywhere">
        {t("wizard:links.from")} <strong>{link.upstream.dag_id}</strong> <RunCell run={link.upstream} />
      </Text>
      <Text color="fg.muted" fontSize="xs">
        {word("evidenceMeaning", link.evidence)}
      </Text>
      {seen.length > 0 && (
        <Seen>
          {seen.map(([name, value]) => (
            <Pair key={name} name={i18n.exists(`wizard:via.${name}`) ? t(`wizard:via.${name}`) : name} value={value} />
          ))}
        </Seen>
      )}
    </Box>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** The tasks at the two ends, and what was seen, as words. */
function useSeen(link: Link): [string, string][] {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  const { hidden, ...via } = link.via;
  const tasks: [string, unknown][] = [
    ["from_task_id", link.from_task_id],
    ["to_task_id", link.to_task_id],
  ];
  const told: [string, unknown][] = hidden === true ? [["hidden", t("wizard:links.hidden")]] : Object.entries(via);
  return [...tasks, ...told]
    .filter(([name, value]) => value !== null && value !== undefined && !(name === "map_index" && value === -1))
    .map(([name, value]) => [name, words(value, timeZone)]);
}

const MOMENT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

function words(value: unknown, timeZone: string): string {
  if (Array.isArray(value)) {
    return value.map((each) => words(each, timeZone)).join(", ");
  }
  if (typeof value === "string") {
    return MOMENT.test(value) ? shownDate(value, timeZone) : value;
  }
  if (typeof value === "object" && value !== null) {
    return Object.values(value)
      .map((each) => words(each, timeZone))
      .join(" ");
  }
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
