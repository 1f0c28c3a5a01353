import { skipToken, useQuery } from "@tanstack/react-query";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it } from "vitest";

import { keys } from "../../api/keys";
import "../../i18n";
import { showPage } from "../../testing/page";
import { SilenceNotices } from "./SilenceNotices";

const conductor = (found: object) => ({ status: "healthy", components: { conductor: { detail: "", ...found } } });

function UntilItEnds() {
  const [ended, end] = useState(false);
  return (
    <>
      <SilenceNotices watching={!ended} />
      <button onClick={() => end(true)}>end</button>
    </>
  );
}

/** Told in one go with the notices, when the answer is there. */
function OnceKnown() {
  const { isSuccess } = useQuery({ queryKey: keys.conductor, queryFn: skipToken });
  return isSuccess ? <span>known</span> : null;
}

it("goes when nothing can move any more, for nobody asks then whether it is still true", async () => {
  showPage("/", "/", <UntilItEnds />, ({ path }) =>
    path === "/health"
      ? conductor({ status: "unhealthy", since: null })
      : { scheduler: { status: "unhealthy", latest_scheduler_heartbeat: null } },
  );
  expect(await screen.findByTestId("scheduler-silent")).toBeTruthy();
  expect(await screen.findByTestId("conductor-silent")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "end" }));
  expect(screen.queryByTestId("scheduler-silent")).toBeNull();
  expect(screen.queryByTestId("conductor-silent")).toBeNull();
});

it.each([
  [
    "2026-01-05T13:33:39Z",
    "No conductor has looked at the reruns since 2026-01-05 13:33:39 (UTC); they don't go on until one does.",
  ],
  [null, "The conductor isn't well; reruns may not go on."],
  [undefined, "The conductor isn't well; reruns may not go on."],
])("says that no conductor has looked since %s, and asks for nothing else", async (since, text) => {
  const { asked } = showPage("/", "/", <UntilItEnds />, () => conductor({ status: "unhealthy", since }));
  expect((await screen.findByTestId("conductor-silent")).textContent).toBe(text);
  expect(asked.find(({ path }) => path === "/health")?.query.getAll("component")).toEqual(["conductor"]);
});

it("says nothing of a conductor that is there", async () => {
  const page = (
    <>
      <UntilItEnds />
      <OnceKnown />
    </>
  );
  showPage("/", "/", page, () => conductor({ status: "healthy", since: null }));
  await screen.findByText("known");
  expect(screen.queryByTestId("conductor-silent")).toBeNull();
});
