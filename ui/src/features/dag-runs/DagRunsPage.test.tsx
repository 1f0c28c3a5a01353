import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import "../../i18n";
import { type Asked, showPage } from "../../testing/page";
import { DagRunsPage } from "./DagRunsPage";

/** No run since the first date; so many at all. */
function show(total: number) {
  const answer = ({ path, query }: Asked) =>
    path === "/dag-runs"
      ? {
          dag_runs: [],
          total_entries: query.has("run_after_gte") ? 0 : total,
          source_ready_since: "2026-01-04T00:00:00Z",
        }
      : { components: [] };
  return showPage("/dag-runs", "/dag-runs", <DagRunsPage />, answer);
}

it("says that there is no run yet where there is none at all", async () => {
  show(0);
  await screen.findByText(/hasn't created a run yet/);
  expect(screen.queryByRole("button", { name: "Show older runs" })).toBeNull();
});

it("offers the older runs where there are some", async () => {
  const { router } = show(3);
  await userEvent.click(await screen.findByRole("button", { name: "Show older runs" }));
  await waitFor(() => expect(router.state.location.search).toBe("?from=any"));
});

it("puts failed runs first, and takes that back", async () => {
  const { router } = show(3);
  const first = await screen.findByRole("checkbox", { name: "Failed first" });
  await userEvent.click(first);
  await waitFor(() => expect(router.state.location.search).toBe("?order=state"));
  await userEvent.click(first);
  await waitFor(() => expect(router.state.location.search).toBe(""));
});
