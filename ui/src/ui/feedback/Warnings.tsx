import { Badge, Box, Button, chakra, HStack, Stack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";
import { MdChevronRight, MdExpandMore, MdWarningAmber } from "react-icons/md";

import type { PlanWarning, WarningCode } from "../../api/types";
import { useWords } from "../../i18n/words";
import { grouped } from "../../domain/grouped";
import { keyOf } from "../../domain/runName";

interface WarningsProps {
  warnings: readonly PlanWarning[];
  /** Each kind begins as its name and its number. */
  folded?: boolean;
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

/** Warnings, those of one kind together, with the server's sentences. */
export function Warnings({ warnings, ...rest }: WarningsProps) {
  const groups = useMemo(() => {
    const found = grouped(warnings, (warning) => warning.code);
    const rank = (code: WarningCode) => (FIRST.indexOf(code) + FIRST.length + 1) % (FIRST.length + 1);
    return [...found].sort(([one], [other]) => rank(one) - rank(other));
  }, [warnings]);
  return (
    <Stack as="ul" listStyleType="none" gap={2} data-testid="warnings">
      {groups.map(([code, group]) => (
        <WarningGroup key={code} code={code} warnings={group} {...rest} />
      ))}
    </Stack>
  );
}

const OPEN = 3;
const PAGE = 50;

const Expander = chakra("button", {
  base: { display: "flex", width: "100%", alignItems: "center", gap: 2, cursor: "pointer", textAlign: "start" },
});

function WarningGroup({ code, warnings, folded = false, ...rest }: WarningsProps & { code: WarningCode }) {
  const { t, word } = useWords();
  const [open, setOpen] = useState(!folded && warnings.length <= OPEN);
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
      <Expander type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
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

function OneWarning({ warning, runs, onJump }: Omit<WarningsProps, "warnings" | "folded"> & { warning: PlanWarning }) {
  const { t } = useWords();
  const key = warning.dag_id === null ? null : keyOf({ dag_id: warning.dag_id, run_id: warning.run_id });
  const known = key !== null && warning.run_id !== null && runs?.has(key);
  return (
    <HStack as="li" align="start" justify="space-between" gap={2}>
      <Text overflowWrap="anywhere">{warning.detail}</Text>
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
