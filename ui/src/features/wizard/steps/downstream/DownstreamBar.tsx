import { Button, Flex, HStack, Input, Spinner, Text } from "@chakra-ui/react";
import { type KeyboardEvent, useMemo, useState } from "react";
import { MdRefresh } from "react-icons/md";

import { usePreferences } from "../../../../host/Host";
import { shownDate } from "../../../../domain/dates";
import { useWords } from "../../../../i18n/words";
import { BusyButton } from "../../../../ui/BusyButton";
import { Hint } from "../../../../ui/Hint";
import { useWizard } from "../../state/context";
import { matching } from "../../state/filter";
import { type PlanIndex, takeable } from "../../state/plan";
import { useDraft } from "../../state/store";
import { Views } from "../../parts/Views";

interface DownstreamBarProps {
  index: PlanIndex;
  keys: readonly string[];
  search: string;
  onSearch: (text: string) => void;
  onJump: (key: string) => void;
}

/** How the runs are shown, the search, and the picks for all of them. */
export function DownstreamBar(props: DownstreamBarProps) {
  const { t } = useWords();
  const { store } = useWizard();
  const view = useDraft(store, (draft) => draft.view);
  return (
    <Flex gap={3} align="center" wrap="wrap">
      <Views
        label={t("wizard:view.label")}
        value={view}
        onChange={(to) => store.dispatch({ type: "set", patch: { view: to } })}
        views={[
          { value: "flow", label: t("wizard:view.flow") },
          { value: "list", label: t("wizard:view.list") },
        ]}
      />
      <Search {...props} jumps={view === "flow"} />
      <Picks index={props.index} keys={props.keys} />
      <PlanAge />
    </Flex>
  );
}

function Search({ index, keys, search, onSearch, onJump, jumps }: DownstreamBarProps & { jumps: boolean }) {
  const { t } = useWords();
  const matches = useMemo(() => matching(index, keys, search), [index, keys, search]);
  const [at, setAt] = useState(-1);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && jumps && matches.length > 0) {
      const next = (at + 1) % matches.length;
      setAt(next);
      onJump(matches[next] ?? "");
    }
  };
  return (
    <HStack gap={2}>
      <Hint text={jumps ? t("wizard:search.hint") : undefined}>
        <Input
          type="search"
          size="sm"
          width="14rem"
          placeholder={t("wizard:search.placeholder")}
          aria-label={t("wizard:search.label")}
          value={search}
          onChange={(event) => {
            onSearch(event.target.value);
            setAt(-1);
          }}
          onKeyDown={onKeyDown}
        />
      </Hint>
      {search !== "" && (
        <Text color="fg.muted" aria-live="polite" whiteSpace="nowrap">
          {at >= 0
            ? t("wizard:search.at", { at: Math.min(at + 1, matches.length), count: matches.length })
            : t("wizard:search.found", { count: matches.length })}
        </Text>
      )}
    </HStack>
  );
}

function Picks({ index, keys }: Pick<DownstreamBarProps, "index" | "keys">) {
  const { t } = useWords();
  const { store } = useWizard();
  const take = (taken: boolean) =>
    store.dispatch({ type: "take", keys: takeable(index, keys, store.get().freezeMode), taken });
  return (
    <HStack gap={2} role="group" aria-label={t("wizard:picks.label")}>
      <Button size="xs" variant="outline" onClick={() => take(true)}>
        {t("action.selectAll")}
      </Button>
      <Button size="xs" variant="outline" onClick={() => take(false)}>
        {t("action.selectNone")}
      </Button>
      <Button size="xs" variant="outline" onClick={() => store.dispatch({ type: "defaults" })}>
        {t("wizard:picks.default")}
      </Button>
    </HStack>
  );
}

/** When the plan was made, with a way to make it anew. */
function PlanAge() {
  const { t } = useWords();
  const { plan, settling } = useWizard();
  const { timeZone } = usePreferences();
  const time = shownDate(new Date(plan.dataUpdatedAt).toISOString(), timeZone).slice(11);
  return (
    <HStack ms="auto" gap={1} color="fg.muted">
      {settling ? (
        <HStack role="status">
          <Spinner size="sm" />
          {t("wizard:plan.making")}
        </HStack>
      ) : (
        <Text>{t("wizard:plan.age", { time })}</Text>
      )}
      <BusyButton
        size="xs"
        px={0}
        variant="ghost"
        aria-label={t("wizard:plan.renew")}
        title={t("wizard:plan.renew")}
        busy={settling}
        onClick={() => void plan.refetch()}
      >
        <MdRefresh />
      </BusyButton>
    </HStack>
  );
}
