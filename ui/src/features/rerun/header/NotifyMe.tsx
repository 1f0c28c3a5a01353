import { Flex, Switch, Text } from "@chakra-ui/react";
import { useEffect, useEffectEvent, useState } from "react";

import { hasEnded, useRecord as useFollowed } from "../../../api/reruns";
import type { Rerun, RerunState } from "../../../api/types";
import { type Barrier, barrier, permitted, show } from "../../../domain/notification";
import { useWords } from "../../../i18n/words";
import { keep, kept } from "../../../ui/kept";
import { useNames } from "../../../ui/names";
import { useProgressText } from "../../../ui/ProgressBar";
import { useRecord } from "../context";

const WANTED = "wanted";

/** Where a rerun stands when there is something to tell of: at its end, or where it doesn't go on by itself. */
const TOLD: ReadonlySet<RerunState> = new Set<RerunState>(["succeeded", "terminated", "failed"]);

const placeOf = ({ id }: Rerun) => `notify:${id}`;

/** What is kept of a rerun that is watched: where it stood when the person knew of it. */
const knownOf = ({ state }: Rerun) => (TOLD.has(state) ? state : WANTED);

/**
 * Has the browser tell the person when the rerun has ended or failed, while this page is open. It is asked for permission
 * only when they want that.
 */
export function NotifyMe() {
  const { t } = useWords();
  const { rerun } = useRecord();
  const [wanted, setWanted] = useState(() => kept(placeOf(rerun)) !== undefined);
  const [found, setFound] = useState<Barrier | null>(null);
  useTelling(rerun, wanted);
  const change = async (checked: boolean) => {
    const problem = checked ? await permitted(window) : null;
    setFound(problem);
    const on = checked && problem === null;
    keep(placeOf(rerun), on ? knownOf(rerun) : "");
    setWanted(on);
  };
  if (hasEnded(rerun)) {
    return null;
  }
  const problem = found ?? (wanted ? barrier(window) : null);
  return (
    <Flex direction="column" gap={1} maxWidth="22rem">
      <Switch.Root
        size="sm"
        colorPalette="brand"
        checked={wanted}
        onCheckedChange={({ checked }) => void change(checked)}
        title={t("record:notifyMe.hint")}
      >
        <Switch.HiddenInput />
        <Switch.Control />
        <Switch.Label>{t("record:notifyMe.label")}</Switch.Label>
      </Switch.Root>
      {wanted && <InBackground id={rerun.id} />}
      <Text role="status" color="fg.warning" fontSize="xs" data-testid="notify-barrier">
        {problem !== null && t(`record:notifyMe.${problem}`)}
      </Text>
    </Flex>
  );
}

/** Follows the rerun while its page isn't in sight: that is when a notification is of use. */
function InBackground({ id }: { id: number }) {
  useFollowed(id, { inBackground: true });
  return null;
}

/** Tells of an end once, also of one that came while no page was open. */
function useTelling(rerun: Rerun, wanted: boolean): void {
  const { t, word } = useWords();
  const { rerunName } = useNames();
  const counted = useProgressText(rerun.counts);
  const final = hasEnded(rerun);
  const tell = useEffectEvent(() => {
    const place = placeOf(rerun);
    const last = kept(place); // another page may have told of it
    if (!wanted || last === undefined) {
      return;
    }
    if (TOLD.has(rerun.state) && last !== rerun.state) {
      const title = t("record:notifyMe.title", {
        name: rerunName(rerun),
        state: word("rerunState", rerun.state),
      });
      show(window, title, counted, `rerun-downstream-${rerun.id}`);
    }
    keep(place, final ? "" : knownOf(rerun));
  });
  useEffect(() => {
    tell();
  }, [rerun.state, final, wanted]);
}
