import type { CellContext, ColumnDef } from "@tanstack/react-table";
import { createContext, useContext, useMemo, useState } from "react";

import type { Member } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { Tick } from "../../../ui/Tick";

/** Whether somebody may retry or skip it now, as the server says. */
function isRepairable({ allowed_actions }: Member): boolean {
  return allowed_actions.includes("retry") || allowed_actions.includes("skip");
}

export interface Choosing {
  /** Those that can be chosen, of those that are shown. */
  all: readonly number[];
  picked: ReadonlySet<number>;
  /** Those that are chosen, and can still be repaired. */
  chosen: readonly Member[];
  pick: (ids: readonly number[], wanted: boolean) => void;
  clear: () => void;
}

const NOTHING: Choosing = {
  all: [],
  picked: new Set(),
  chosen: [],
  pick: () => undefined,
  clear: () => undefined,
};

const Context = createContext<Choosing>(NOTHING);

export const ChoosingProvider = Context.Provider;

/** The choice of several members to be repaired; `shown` are those that the checkbox above the others stands for. */
export function useChoosing(members: readonly Member[], shown: readonly Member[]): Choosing {
  const [picked, setPicked] = useState<ReadonlySet<number>>(new Set());
  return useMemo(
    () => ({
      all: shown.filter(isRepairable).map(({ id }) => id),
      picked,
      chosen: members.filter((one) => picked.has(one.id) && isRepairable(one)),
      pick: (ids, wanted) => {
        const others = new Set(ids);
        setPicked((before) => new Set([...[...before].filter((id) => !others.has(id)), ...(wanted ? ids : [])]));
      },
      clear: () => setPicked(new Set()),
    }),
    [members, shown, picked],
  );
}

/** The column with the checkboxes. It stays the same one whatever is chosen: another one would lose the focus. */
export function useChoosingColumn(): ColumnDef<Member> {
  const { t } = useWords();
  return useMemo(
    () => ({
      id: "choose",
      enableSorting: false,
      meta: { name: t("record:several.choose"), width: 2.5 },
      header: ChooseAll,
      cell: ChooseOne,
    }),
    [t],
  );
}

function ChooseAll() {
  const { t } = useWords();
  const { all, picked, pick } = useContext(Context);
  const count = all.filter((id) => picked.has(id)).length;
  return (
    <Tick
      label={t("record:several.chooseAll", { count: all.length })}
      checked={count > 0 && count === all.length}
      partly={count > 0}
      disabled={all.length === 0}
      onTick={(wanted) => pick(all, wanted)}
    />
  );
}

function ChooseOne({ row: { original: member } }: CellContext<Member, unknown>) {
  const { t } = useWords();
  const { picked, pick } = useContext(Context);
  return isRepairable(member) ? (
    <Tick
      label={t("record:several.chooseOne", { run: `${member.dag_id} ${member.run_id ?? ""}` })}
      checked={picked.has(member.id)}
      onTick={(wanted) => pick([member.id], wanted)}
    />
  ) : null;
}
