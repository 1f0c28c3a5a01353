import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it } from "vitest";

import "../../i18n";
import { showPage } from "../../testing/page";
import { SchedulerNotice } from "./SchedulerNotice";

function UntilItEnds() {
  const [ended, end] = useState(false);
  return (
    <>
      <SchedulerNotice watching={!ended} />
      <button onClick={() => end(true)}>end</button>
    </>
  );
}

it("goes when nothing can move any more, for nobody asks then whether it is still true", async () => {
  showPage("/", "/", <UntilItEnds />, () => ({ scheduler: { status: "unhealthy", latest_scheduler_heartbeat: null } }));
  expect(await screen.findByTestId("scheduler-silent")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "end" }));
  expect(screen.queryByTestId("scheduler-silent")).toBeNull();
});
