import { chakra } from "@chakra-ui/react";
import { useTranslation } from "react-i18next";

import type { Advice } from "../../../../../api/types";
import { usePreferences } from "../../../../../host/Host";
import { shownMoment } from "../../../../../domain/dates";
import { useWords } from "../../../../../i18n/words";

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

/** What was seen of a link or an edge, by the server's names; what nobody knows is left out. */
export function SeenFacts({ facts }: { facts: Record<string, unknown> }) {
  const { t } = useWords();
  const { i18n } = useTranslation();
  const { timeZone } = usePreferences();
  const told = Object.entries(facts).filter(
    ([name, value]) => value !== null && value !== undefined && !(name === "map_index" && value === -1),
  );
  return told.length === 0 ? null : (
    <Seen>
      {told.map(([name, value]) => (
        <Pair
          key={name}
          name={i18n.exists(`wizard:via.${name}`) ? t(`wizard:via.${name}` as never) : name}
          value={words(value, timeZone)}
        />
      ))}
    </Seen>
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

function words(value: unknown, timeZone: string): string {
  if (Array.isArray(value)) {
    return value.map((each) => words(each, timeZone)).join(", ");
  }
  if (typeof value === "string") {
    return shownMoment(value, timeZone);
  }
  if (typeof value === "object" && value !== null) {
    return Object.values(value)
      .map((each) => words(each, timeZone))
      .join(" ");
  }
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** What can be done, in the reader's language; of a record that has no words for it, as it came. */
export function useToDo() {
  const { t, word } = useWords();
  return (toDo: unknown, advice: unknown): string | undefined => {
    const said = Array.isArray(toDo)
      ? toDo.map((each) => t("wizard:edges.sentence", { text: word("advice", String(each) as Advice) }))
      : [];
    return said.length > 0 ? said.join(" ") : typeof advice === "string" ? advice : undefined;
  };
}
