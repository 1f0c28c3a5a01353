import { Badge, Box, Button, chakra, HStack, Stack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";
import { MdChevronRight, MdExpandMore, MdWarningAmber } from "react-icons/md";

import type { PlanWarning, WarningCode } from "../../api/types";
import { useWords } from "../../i18n/words";
import { grouped } from "../../domain/grouped";
import { Said } from "../Said";
import { keyOf } from "../../domain/runName";

interface WarningsProps {
  warnings: readonly PlanWarning[];
  /** Each kind begins as its name and its number. */
  folded?: boolean;
  /** About how many lines there is room for: what matters most is unfolded first, and each kind is named in any case. */
  lines?: number;
  /** The runs to which `onJump` leads, by their keys. */
  runs?: { has: (key: string) => boolean };
  onJump?: (key: string) => void;
}

/** What matters most to the result comes first. */
const FIRST: readonly WarningCode[] = [
  "asset_manager_inactive",
  "offset_unknown",
  "unreadable_dag",
  "forbidden_dag",
  "order_lost",
  "stays_polluted",
  "rebuilt_on_polluted",
  "upcoming_run",
  "unresolved_link",
];

/** Warnings, those of one kind together. */
export function Warnings({ warnings, folded = false, lines, ...rest }: WarningsProps) {
  const groups = useMemo(() => {
    const found = grouped(warnings, (warning) => warning.code);
    const rank = (code: WarningCode) => (FIRST.indexOf(code) + FIRST.length + 1) % (FIRST.length + 1);
    return [...found].sort(([one], [other]) => rank(one) - rank(other));
  }, [warnings]);
  const unfolded = useMemo(() => (folded ? new Set() : fitting(groups, lines ?? Infinity)), [groups, folded, lines]);
  return (
    <Stack as="ul" listStyleType="none" gap={2} data-testid="warnings">
      {groups.map(([code, group]) => (
        <WarningGroup key={code} code={code} warnings={group} atFirst={unfolded.has(code)} {...rest} />
      ))}
    </Stack>
  );
}

const OPEN = 3;
const PAGE = 50;

/** Lines that a kind's name takes with its frame, and letters in a line of the panel beside the runs. */
const [NAME, WIDTH] = [2.25, 34];

/** The kinds that are unfolded at first: a few warnings each, as many as there is room for. */
export function fitting(groups: readonly [WarningCode, readonly PlanWarning[]][], lines: number): Set<WarningCode> {
  const found = new Set<WarningCode>();
  let left = lines - groups.length * NAME;
  for (const [code, group] of groups) {
    const needed = group.reduce((sum, { detail }) => sum + 0.25 + Math.ceil(detail.length / WIDTH), 0);
    if (group.length <= OPEN && needed <= left) {
      found.add(code);
      left -= needed;
    }
  }
  return found;
}

const Expander = chakra("button", {
  base: { display: "flex", width: "100%", alignItems: "center", gap: 2, cursor: "pointer", textAlign: "start" },
});

interface WarningGroupProps extends Omit<WarningsProps, "folded" | "lines"> {
  code: WarningCode;
  /** Whether it is unfolded until the user says otherwise. */
  atFirst: boolean;
}

function WarningGroup({ code, warnings, atFirst, ...rest }: WarningGroupProps) {
  const { t, word } = useWords();
  const [chosen, choose] = useState<boolean | undefined>();
  const open = chosen ?? atFirst;
  const [count, setCount] = useState(PAGE);
  return (
    <Box
      as="li"
      borderWidth="1px"
      borderStartWidth="4px"
      borderStartColor="warning.solid"
      borderRadius="md"
      bg="bg.subtle"
      px={2}
      py={1.5}
    >
      <Expander type="button" aria-expanded={open} onClick={() => choose(!open)}>
        <MdWarningAmber aria-hidden="true" />
        <Text as="span" fontWeight="semibold" flex="1">
          {word("warning", code)}
        </Text>
        <Badge colorPalette="gray" variant="solid" aria-label={t("wizard:warnings.count", { count: warnings.length })}>
          {warnings.length}
        </Badge>
        {open ? <MdExpandMore aria-hidden="true" /> : <MdChevronRight aria-hidden="true" />}
      </Expander>
      {open && (
        <Stack as="ul" listStyleType="none" gap={1.5} mt={1.5}>
          {warnings.slice(0, count).map((warning, index) => (
            <OneWarning key={index} warning={warning} {...rest} />
          ))}
          {warnings.length > count && (
            <Button size="2xs" variant="outline" alignSelf="start" onClick={() => setCount(count + 2 * PAGE)}>
              {t("wizard:warnings.more", { count: warnings.length - count })}
            </Button>
          )}
        </Stack>
      )}
    </Box>
  );
}

function OneWarning({
  warning,
  runs,
  onJump,
}: Omit<WarningsProps, "warnings" | "folded" | "lines"> & { warning: PlanWarning }) {
  const { t } = useWords();
  const key = warning.dag_id === null ? null : keyOf({ dag_id: warning.dag_id, run_id: warning.run_id });
  const known = key !== null && warning.run_id !== null && runs?.has(key);
  return (
    <HStack as="li" align="start" justify="space-between" gap={2}>
      <Text overflowWrap="anywhere">
        <Said {...warning} />
      </Text>
      {known && onJump && (
        <Button
          size="2xs"
          variant="outline"
          aria-label={t("wizard:warnings.showRun", { dag: warning.dag_id, run: warning.run_id })}
          onClick={() => onJump(key)}
        >
          {t("wizard:warnings.show")}
        </Button>
      )}
    </HStack>
  );
}
