/** What Dags are called: Airflow's pages show a display name in place of an id. */

import { chakra } from "@chakra-ui/react";
import { createContext, type ReactNode, useCallback, useContext, useMemo } from "react";

interface Called {
  dag_id: string;
  dag_display_name: string;
}

const DagNames = createContext<ReadonlyMap<string, string>>(new Map());

/** Tells all that is inside what Dags are called. */
export function DagNamesProvider({ of, children }: { of: readonly Called[]; children: ReactNode }) {
  const differing = of.filter(({ dag_id, dag_display_name }) => dag_id !== dag_display_name);
  // A record's members are new objects at each look: what hangs on names stays until one of them is another.
  const text = JSON.stringify(differing.map(({ dag_id, dag_display_name }) => [dag_id, dag_display_name]));
  const names = useMemo(() => new Map(JSON.parse(text) as [string, string][]), [text]);
  return <DagNames.Provider value={names}>{children}</DagNames.Provider>;
}

/** What a Dag is called; its id where nobody has called it otherwise. */
export function useDagName(): (dagId: string) => string {
  const names = useContext(DagNames);
  return useCallback((dagId) => names.get(dagId) ?? dagId, [names]);
}

/** The same with the id, for where there is one line and no place for both. */
export function useWholeDagName(): (dagId: string) => string {
  const called = useDagName();
  return useCallback((dagId) => bothNames(called(dagId), dagId), [called]);
}

/** A name and the id behind it, where these are two. */
export function bothNames(name: string, id: string): string {
  return name === id ? id : `${name} (${id})`;
}

/** What something is called, with its id beside it where that is something else. */
export function NameAndId({ name, id }: { name: string; id: string }) {
  return name === id ? (
    <>{id}</>
  ) : (
    <>
      {name}{" "}
      <chakra.span color="fg.muted" fontSize="xs" fontWeight="normal" data-testid="id-of-name">
        {id}
      </chakra.span>
    </>
  );
}

/** What a Dag is called, with its id beside it. */
export function DagName({ dagId }: { dagId: string }) {
  return <NameAndId name={useDagName()(dagId)} id={dagId} />;
}
