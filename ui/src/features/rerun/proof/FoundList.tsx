import { Badge, Box, Flex, Link, Text } from "@chakra-ui/react";
import { memo } from "react";
import { Trans } from "react-i18next";
import type { IconType } from "react-icons";
import { Link as RouterLink, useLocation } from "react-router";
import { MdError, MdHelp, MdHistory, MdHowToReg } from "react-icons/md";

import type { ProofSpot } from "../../../api/types";
import { keyOf } from "../../../domain/runName";
import { parameters, query } from "../../../host/parameters";
import { useWholeDagName } from "../../../ui/dagNames";
import { useWords } from "../../../i18n/words";
import { RunLink } from "../../../ui/AirflowLink";
import { ScrollRegion, useRowsInSight } from "../../../ui/ScrollRegion";
import { Time } from "../../../ui/Time";
import { acceptedBy, endsOf, type Found, type FoundKind, sentenceOf, timesOf } from "./findings";

/** About how high a finding is, before it has been drawn. */
const HEIGHT = 80;

interface FoundListProps {
  found: readonly Found[];
  /** The member of a run. */
  memberOf: ReadonlyMap<string, number>;
}

/** A sentence for each; of ten thousand only those in sight are drawn. */
export function FoundList({ found, memberOf }: FoundListProps) {
  const { t } = useWords();
  const { region, rows, total, measure } = useRowsInSight(found.length, HEIGHT);
  return (
    <ScrollRegion
      ref={region}
      label={t("record:proof.label")}
      // The list scrolls inside, however long it is.
      flex="1 1 18rem"
      minHeight="18rem"
      data-testid="findings"
    >
      <Box role="list" position="relative" style={{ height: total }}>
        {rows.map(({ index, start, key }) => {
          const one = found[index];
          return (
            one && (
              <Box
                key={key}
                ref={measure}
                data-index={index}
                role="listitem"
                aria-posinset={index + 1}
                aria-setsize={found.length}
                position="absolute"
                insetInline={0}
                top={0}
                style={{ transform: `translateY(${start}px)` }}
                px={3}
                py={2}
                borderBottomWidth="1px"
              >
                <FoundLine found={one} memberOf={memberOf} />
              </Box>
            )
          );
        })}
      </Box>
    </ScrollRegion>
  );
}

const LOOKS: Record<FoundKind, { palette: string; icon: IconType }> = {
  violation: { palette: "failed", icon: MdError },
  accepted: { palette: "warning", icon: MdHowToReg },
  not_provable: { palette: "gray", icon: MdHelp },
  older: { palette: "info", icon: MdHistory },
  proven: { palette: "success", icon: MdHowToReg },
};

interface FoundLineProps {
  found: Found;
  memberOf: ReadonlyMap<string, number>;
}

const FoundLine = memo(function FoundLine({ found, memberOf }: FoundLineProps) {
  const { t } = useWords();
  const { reader, writer } = endsOf(found);
  const { palette, icon: Icon } = LOOKS[found.kind];
  const by = acceptedBy(found);
  const spot = (of: ProofSpot | null) => (of === null ? <></> : <Spot spot={of} memberId={memberOf.get(keyOf(of))} />);
  return (
    <Flex columnGap={3} rowGap={1} align="flex-start" wrap={{ base: "wrap", md: "nowrap" }}>
      <Box width="8.5rem" flexShrink={0}>
        <Badge colorPalette={palette} variant="subtle">
          <Icon aria-hidden="true" />
          {t(`record:proof.outcome.${found.kind}`)}
        </Badge>
      </Box>
      <Box minWidth={0} flex="1 1 16rem">
        <Text overflowWrap="anywhere">
          <Trans
            t={t}
            i18nKey={`record:proof.${sentenceOf(found)}`}
            components={{ reader: spot(reader), writer: spot(writer) }}
          />
        </Text>
        <Flex wrap="wrap" columnGap={4} color="fg.muted" fontSize="sm" _empty={{ display: "none" }}>
          {timesOf(found).map(({ what, at }) => (
            <Text key={what}>
              {t(`record:proof.time.${what}`)} <Time value={at} precise />
            </Text>
          ))}
          {by !== null && <Text>{t("record:proof.acceptedBy", { name: by })}</Text>}
        </Flex>
      </Box>
    </Flex>
  );
});

/** A run, or a task of it: the run leads to its member, or to Airflow where it is none. */
function Spot({ spot, memberId }: { spot: ProofSpot; memberId: number | undefined }) {
  const { t } = useWords();
  const dagName = useWholeDagName();
  const run =
    memberId === undefined ? (
      <>
        {dagName(spot.dag_id)} <RunLink dagId={spot.dag_id} runId={spot.run_id} />
      </>
    ) : (
      <MemberLink spot={spot} memberId={memberId} />
    );
  if (spot.task_id === null) {
    return run;
  }
  return (
    <Trans
      t={t}
      i18nKey="record:proof.task"
      components={{
        task: (
          <Text as="span" fontWeight="medium">
            {spot.task_id}
          </Text>
        ),
        run,
      }}
    />
  );
}

function MemberLink({ spot, memberId }: { spot: ProofSpot; memberId: number }) {
  const { search } = useLocation();
  const dagName = useWholeDagName();
  const here = Object.fromEntries(parameters(search));
  return (
    <Link asChild display="inline" color="fg.info">
      <RouterLink replace to={`?${query({ ...here, member: memberId })}`}>
        {dagName(spot.dag_id)} {spot.run_id}
      </RouterLink>
    </Link>
  );
}
