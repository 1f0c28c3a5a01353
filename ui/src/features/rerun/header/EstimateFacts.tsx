import { Box, Link, Text } from "@chakra-ui/react";

import type { Estimate } from "../../../api/types";
import { secondsBetween, shownDuration } from "../../../domain/dates";
import { CUT_LINK } from "../../../ui/table/cells";
import { useWords } from "../../../i18n/words";
import { Field } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useClock } from "../../../ui/useClock";
import { useRecord } from "../context";
import { useCause } from "../words";

/** When the rerun is expected to end, what isn't known of that, and what delays it now. */
export function EstimateFacts({ estimate }: { estimate: Estimate | undefined }) {
  const { t } = useWords();
  if (estimate === undefined || estimate.outlook === "ended") {
    return null;
  }
  return (
    <>
      <Field label={t("record:estimate.label")}>
        <Box data-testid="estimate">
          <ExpectedEnd estimate={estimate} />
        </Box>
      </Field>
      {estimate.delay && (
        <Field label={t("record:estimate.delay")}>
          <Delay delay={estimate.delay} />
        </Field>
      )}
    </>
  );
}

function ExpectedEnd({ estimate }: { estimate: Estimate }) {
  const { t } = useWords();
  const { ends_at: endsAt, ends_late_at: late, decided_by: decidedBy } = estimate;
  const now = useClock(endsAt !== null);
  const notes = useNotes(estimate);
  if (endsAt === null) {
    return <>{t("record:estimate.open")}</>;
  }
  const seconds = secondsBetween(new Date(now).toISOString(), endsAt, now);
  const ahead = seconds < 1 ? t("record:estimate.soon") : t("record:estimate.in", { duration: shownDuration(seconds) });
  return (
    <>
      <Text>
        {estimate.outlook === "at_least" && `${t("record:estimate.atLeast")} `}
        <Time value={endsAt} /> ({ahead})
      </Text>
      <Text color="fg.muted" fontSize="xs">
        {late && (
          <>
            {t("record:estimate.late")} <Time value={late} />
            {decidedBy && " · "}
          </>
        )}
        {decidedBy && t(`record:estimate.decidedBy.${decidedBy}`)}
      </Text>
      {notes.map((note) => (
        <Text key={note} color="fg.warning" fontSize="xs">
          {note}
        </Text>
      ))}
    </>
  );
}

/** What isn't known of the end, and what is unusual. */
function useNotes(estimate: Estimate): string[] {
  const { t } = useWords();
  const counted = [
    ["unknown", estimate.unknown_members],
    ["heldUp", estimate.held_up_members],
    ["failed", estimate.failed_members],
    ["overdue", estimate.overdue_members],
  ] as const;
  return counted.filter(([, count]) => count > 0).map(([name, count]) => t(`record:estimate.${name}`, { count }));
}

function Delay({ delay }: { delay: NonNullable<Estimate["delay"]> }) {
  const { t, word } = useWords();
  const { open } = useRecord();
  const said = useCause();
  const { member, cause, critical } = delay;
  const why = said(cause) || (member && word("memberState", member.state));
  return (
    <Box data-testid="estimate-delay" minWidth={0} maxWidth="36rem">
      {member ? (
        <Link as="button" {...CUT_LINK} title={member.dag_id} onClick={() => open(member.id)}>
          {member.dag_id}
        </Link>
      ) : (
        t("record:estimate.hidden")
      )}
      {why && <Text as="span">{` · ${why}`}</Text>}
      {!critical && (
        <Text color="fg.muted" fontSize="xs">
          {t("record:estimate.aside")}
        </Text>
      )}
    </Box>
  );
}
