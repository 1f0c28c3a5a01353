import { chakra } from "@chakra-ui/react";
import { useMemo } from "react";
import { MdUnfoldMore } from "react-icons/md";

import { useWords } from "../../i18n/words";
import { solid } from "./Cards";
import type { Group } from "./folding";
import type { GroupBy } from "./memory";
import type { Grouping } from "./types";

/** Looks like some cards on each other. */
const Stack = chakra("div", {
  base: {
    height: "100%",
    display: "grid",
    gridTemplateRows: "auto auto 1fr",
    gap: 1,
    px: 2.5,
    py: 1.5,
    borderWidth: "1px",
    borderRadius: "md",
    bg: "bg.panel",
    color: "fg",
    fontSize: "xs",
    boxShadow: "3px 3px 0 -1px var(--chakra-colors-bg-panel), 3px 3px 0 0 var(--chakra-colors-border-emphasized)",
    "& .line": { display: "flex", alignItems: "center", gap: "6px", minWidth: 0 },
    "& .name": { fontWeight: "semibold", fontSize: "sm", flex: 1 },
    "& .cut": { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", minWidth: 0 },
    "& .states": { display: "flex", flexWrap: "wrap", gap: "2px 10px", alignContent: "end", overflow: "hidden" },
    "& .state": { display: "flex", alignItems: "center", gap: "4px", whiteSpace: "nowrap" },
    "& .dot": { width: "8px", height: "8px", borderRadius: "full" },
    "& .open": { cursor: "pointer", borderRadius: "sm", borderWidth: "1px", bg: "bg.subtle", p: "1px", fontSize: "md" },
  },
});

interface GroupCardProps {
  group: Group;
  by: GroupBy;
  groups: Grouping;
  open: (key: string) => void;
}

/** Many runs as one card: which they are, how many, and how they stand. */
export function GroupCard({ group, by, groups, open }: GroupCardProps) {
  const { t } = useWords();
  const { title, runs } = useGroupName(groups, by)(group);
  const label = t("graph.open", { name: title });
  return (
    <Stack data-group="">
      <div className="line">
        {groups.extra?.(group.nodes)}
        <span className="name cut" title={title}>
          {title}
        </span>
        <button
          type="button"
          className="open"
          tabIndex={-1}
          aria-label={label}
          title={label}
          onClick={() => open(group.key)}
        >
          <MdUnfoldMore aria-hidden="true" />
        </button>
      </div>
      <div className="cut">{title === runs ? "" : runs}</div>
      <div className="states">
        {counted(group, groups).map(({ state, word, color, count }) => (
          <span key={state} className="state">
            <span className="dot" style={{ background: solid(color) }} />
            {t("graph.inState", { count, state: word })}
          </span>
        ))}
      </div>
    </Stack>
  );
}

/** How many runs of a group are in each state, first those that a person has to look at. */
export function counted({ nodes }: Group, { states, stateOf }: Grouping) {
  const counts = new Map<string, number>();
  nodes.forEach((node) => counts.set(stateOf(node), (counts.get(stateOf(node)) ?? 0) + 1));
  return states.flatMap((state) => {
    const count = counts.get(state.state);
    return count === undefined ? [] : [{ ...state, count }];
  });
}

/** What a group is called, how many runs it has, and all that a screen reader is told of it. */
export function useGroupName(groups: Grouping | undefined, by: GroupBy) {
  const { t, list } = useWords();
  return useMemo(
    () => (group: Group) => {
      const dags = new Set(group.nodes.map((node) => groups?.dagOf(node))).size;
      const count = group.nodes.length;
      const one = dags === 1 && group.name !== null && by === "dag";
      const runs =
        groups?.of === "tasks"
          ? t("count.tasks", { count })
          : one
            ? t("count.runs", { count })
            : t("graph.group", { count, dags: t("count.dags", { count: dags }) });
      const state = by === "state" && groups?.states.find((each) => each.state === group.name)?.word;
      const title = (one && group.name) || state || runs;
      const states = groups
        ? counted(group, groups).map(({ count: n, word }) => t("graph.inState", { count: n, state: word }))
        : [];
      const says = [title === runs ? "" : runs, list(states), groups?.says?.(group.nodes)].filter(Boolean);
      return { title, runs, long: `${title}: ${says.join("; ")}` };
    },
    [t, list, groups, by],
  );
}
