import { type UseMutationResult, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";

import { useSubmit } from "../../../api/reruns";
import { useReview } from "../../../api/plans";
import { asProblem, type Problem } from "../../../api/problem";
import type { Rerun, RerunBody, Review } from "../../../api/types";
import { SUBMITTED } from "../../../host/airflowsPage";
import { type Difference, difference, rerunBody } from "../state/bodies";
import { useWizard } from "../state/context";
import { useProposedName } from "../state/name";
import { indexed } from "../state/plan";

interface SubmissionState {
  /** What the server says of the rerun as it would be ordered now. */
  review: UseQueryResult<Review>;
  /** The answer is still of an older selection, or on its way. */
  reviewing: boolean;
  submit: UseMutationResult<Rerun, Error, RerunBody>;
  /** Submits it, or proposes it. */
  start: (propose: boolean) => void;
  /** Why it can only be proposed: the person may read the Dags, but not edit their runs. Null: it can be submitted. */
  onlyPropose: Problem | null;
  /** Takes a new plan in place of a stale one. */
  accept: () => Promise<void>;
  /** What the last new plan did to the selection. */
  changes: Difference | null;
}

const SubmissionContext = createContext<SubmissionState | null>(null);

export function useSubmission(): SubmissionState {
  const state = useContext(SubmissionContext);
  if (state === null) {
    throw new Error("useSubmission is for parts of the wizard");
  }
  return state;
}

/** Has the selection reviewed while it is made, and submits it. */
export function Submission({ children }: { children: ReactNode }) {
  const { store, index, plan } = useWizard();
  const order = useOrder();
  const { review, reviewing, onlyPropose } = useReviewed(order);
  const submit = useSubmit();
  const [changes, setChanges] = useState<Difference | null>(null);
  const start = useStart(submit);
  const { reset } = submit;
  const { refetch } = plan;
  const accept = useCallback(async () => {
    const { data } = await refetch();
    if (index !== undefined && data !== undefined) {
      setChanges(difference(index, indexed(data), store.get()));
      reset();
    }
  }, [refetch, index, store, reset]);
  const state = useMemo(
    () => ({ review, reviewing, onlyPropose, submit, start, accept, changes }),
    [review, reviewing, onlyPropose, submit, start, accept, changes],
  );
  return <SubmissionContext.Provider value={state}>{children}</SubmissionContext.Provider>;
}

/** What the server says of a submit; where it lacks but the permission, of a proposal. */
function useReviewed(order: RerunBody | undefined) {
  const submit = useReview(order);
  const waiting = order === undefined || submit.isFetching;
  const problem = asProblem(submit.error);
  const found = problem?.reason === "forbidden_dags" ? problem : null;
  // While the next answer is on its way, the page stays as the last one was.
  const [last, setLast] = useState(found);
  if (!waiting && last !== found) {
    setLast(found);
  }
  const onlyPropose = waiting ? last : found;
  const proposal = useReview(order && onlyPropose !== null ? { ...order, propose: true } : undefined);
  const review = onlyPropose === null ? submit : proposal;
  return { review, reviewing: waiting || review.isFetching, onlyPropose };
}

/** While somebody is still choosing, the server isn't asked for each click. */
const PAUSE = 600;

/** The rerun as it would be ordered now, for the steps that have it reviewed; undefined on the others. */
function useOrder(): RerunBody | undefined {
  const { store, index, settling, step } = useWizard();
  const [order, setOrder] = useState<RerunBody | undefined>();
  const proposed = useProposedName();
  const wanted = step === "downstream" || step === "review";
  const pause = step === "review" ? 0 : PAUSE;
  // The name tells how many runs are chosen: it changes with each click, and must not be taken at once for that.
  const name = useRef(proposed);
  const renamed = useRef<() => void>(() => undefined);
  useEffect(() => {
    name.current = proposed;
    renamed.current();
  }, [proposed]);
  useEffect(() => {
    if (!wanted || settling || index === undefined) {
      return undefined;
    }
    const take = () => setOrder(rerunBody(store.get(), index, name.current));
    let timer = setTimeout(take, 0);
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(take, pause);
    };
    renamed.current = later;
    const stop = store.subscribe(later);
    return () => {
      clearTimeout(timer);
      renamed.current = () => undefined;
      stop();
    };
  }, [wanted, settling, index, store, pause]);
  return wanted && !settling ? order : undefined;
}

/** Submits or proposes what is chosen at this moment, and leads to the record. */
function useStart({ mutate }: SubmissionState["submit"]) {
  const { store, index } = useWizard();
  const proposed = useProposedName();
  const client = useQueryClient();
  const navigate = useNavigate();
  return useCallback(
    (propose: boolean) => {
      const body = index && rerunBody(store.get(), index, proposed);
      if (body === undefined) {
        return;
      }
      mutate(
        { ...body, propose },
        {
          onSuccess: (rerun) => {
            store.clear();
            // The runs are in a rerun now: what was known of them is old.
            void client.invalidateQueries({ queryKey: ["plan"], refetchType: "none" });
            // Back would lead to the review of another rerun of the same runs.
            void navigate(`/records/${rerun.id}`, { replace: true, state: SUBMITTED });
          },
        },
      );
    },
    [store, index, proposed, mutate, client, navigate],
  );
}
