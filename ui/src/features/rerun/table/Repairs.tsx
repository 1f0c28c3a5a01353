import { Alert, Button, CloseButton, HStack, List, Text } from "@chakra-ui/react";
import { useCallback, useState } from "react";
import { MdRedo, MdReplay } from "react-icons/md";

import { type RepairAction, type Repaired, useRepairs } from "../../../api/teamwork";
import type { ChosenMember, Member, MemberResults, RerunEvent } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { ConfirmDialog } from "../../../ui/feedback/ConfirmDialog";
import { useNames } from "../../../ui/names";
import { Said } from "../../../ui/Said";
import { memberSentences } from "../actions/asks";
import { memberSeen, seenNow } from "../actions/seen";
import { useRecord } from "../context";

/** So many of those that are chosen are named before it is done. */
const NAMED = 10;

const NOTHING: MemberResults = { members: [], refused: [] };

const ACTIONS = [
  { action: "retry", icon: MdReplay },
  { action: "skip", icon: MdRedo },
] as const;

interface RepairsProps {
  /** The members that are chosen; each may be repaired, as the server says. */
  chosen: readonly Member[];
  members: readonly Member[];
  events: readonly RerunEvent[];
  onDone: () => void;
}

/** Retries or skips all members that are chosen, after saying what that does; and says which were refused, and why. */
export function Repairs({ chosen, members, events, onDone }: RepairsProps) {
  const { t } = useWords();
  const [asked, setAsked] = useState<RepairAction | null>(null);
  const [results, setResults] = useState<MemberResults | null>(null);
  return (
    <>
      {chosen.length > 0 && (
        <HStack gap={2} wrap="wrap" role="group" aria-label={t("record:several.label")} data-testid="repairs">
          <Text aria-live="polite">{t("record:several.chosen", { count: chosen.length })}</Text>
          {ACTIONS.map(({ action, icon: Icon }) => (
            <Button
              key={action}
              size="xs"
              variant="outline"
              colorPalette="brand"
              disabled={!chosen.every(({ allowed_actions }) => allowed_actions.includes(action))}
              onClick={() => setAsked(action)}
            >
              <Icon aria-hidden="true" />
              {t(`record:several.${action}`, { count: chosen.length })}
            </Button>
          ))}
          <Button size="xs" variant="ghost" onClick={onDone}>
            {t("record:several.none")}
          </Button>
        </HStack>
      )}
      {results !== null && <Results results={results} members={members} onClose={() => setResults(null)} />}
      {asked !== null && (
        <Dialog
          action={asked}
          chosen={chosen}
          members={members}
          events={events}
          onClose={(found, whole) => {
            setAsked(null);
            if (found !== undefined) {
              setResults(found);
            }
            if (whole) {
              onDone();
            }
          }}
        />
      )}
    </>
  );
}

interface DialogProps {
  action: RepairAction;
  chosen: readonly Member[];
  members: readonly Member[];
  events: readonly RerunEvent[];
  /** `found`: what has come of it, if anything was done; `whole`: of each of them. */
  onClose: (found: MemberResults | undefined, whole: boolean) => void;
}

/** Those that were chosen when it was opened, whatever becomes of them meanwhile: the server says what it refuses. */
function Dialog({ action, chosen, members, events, onClose }: DialogProps) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const [rest, setRest] = useState<readonly ChosenMember[]>(() =>
    chosen.map((member) => ({ member_id: member.id, ...memberSeen(seenNow(rerun, member, events)) })),
  );
  const [done, setDone] = useState(NOTHING);
  const repairs = useRepairs(rerun.id);
  const some = done.members.length + done.refused.length > 0;
  const onSuccess = (found: Repaired) => {
    const sum = {
      members: [...done.members, ...found.members],
      refused: [...done.refused, ...found.refused],
    };
    if (found.rest.length === 0) {
      onClose(sum, true);
    }
    setDone(sum);
    setRest(found.rest);
  };
  return (
    <ConfirmDialog
      open
      title={t(`record:several.${action}Title`, { count: rest.length })}
      confirm={t(`record:action.${action}`)}
      busy={repairs.isPending}
      error={repairs.error ?? repairs.data?.error}
      onConfirm={() => repairs.mutate({ action, chosen: rest }, { onSuccess })}
      onClose={() => onClose(some ? done : undefined, false)}
    >
      {some && <Results results={done} members={members} />}
      <Chosen ids={rest.map(({ member_id }) => member_id)} members={members} />
      {memberSentences(rerun, action).map(({ key, count }) => (
        <Text key={key}>{t(`record:ask.${key}`, { count })}</Text>
      ))}
      <Text>{t("record:several.each")}</Text>
    </ConfirmDialog>
  );
}

/** Those that it will be done for: some may not be in sight, where the table is filtered. */
function Chosen({ ids, members }: { ids: readonly number[]; members: readonly Member[] }) {
  const { t } = useWords();
  const named = useNamed(members);
  return (
    <List.Root ps={4} maxHeight="10rem" overflow="auto" tabIndex={0} data-testid="chosen">
      {ids.slice(0, NAMED).map((id) => (
        <List.Item key={id} overflowWrap="anywhere">
          {named(id)}
        </List.Item>
      ))}
      {ids.length > NAMED && <List.Item>{t("record:several.more", { count: ids.length - NAMED })}</List.Item>}
    </List.Root>
  );
}

function useNamed(members: readonly Member[]): (id: number) => string {
  const { memberName } = useNames();
  return useCallback(
    (id) => {
      const found = members.find((member) => member.id === id);
      return found ? `${found.dag_id} ${memberName(found)}` : String(id);
    },
    [members, memberName],
  );
}

interface ResultsProps {
  results: MemberResults;
  members: readonly Member[];
  onClose?: () => void;
}

function Results({ results, members, onClose }: ResultsProps) {
  const { t } = useWords();
  const named = useNamed(members);
  const { refused } = results;
  return (
    <Alert.Root status={refused.length > 0 ? "warning" : "success"} size="sm" role="status" data-testid="repaired">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>
          {t("record:several.done", { count: results.members.length })}
          {refused.length > 0 && ` ${t("record:several.refused", { count: refused.length })}`}
        </Alert.Title>
        {refused.length > 0 && (
          <Alert.Description maxHeight="10rem" overflow="auto" tabIndex={0}>
            <List.Root ps={4}>
              {refused.map(({ member_id, detail, sentence }) => (
                <List.Item key={member_id} overflowWrap="anywhere">
                  {named(member_id)}: <Said detail={detail} sentence={sentence} />
                </List.Item>
              ))}
            </List.Root>
          </Alert.Description>
        )}
      </Alert.Content>
      {onClose && <CloseButton size="sm" aria-label={t("action.close")} onClick={onClose} />}
    </Alert.Root>
  );
}
