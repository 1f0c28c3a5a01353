import { render } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { SUBMITTED, useAirflowLooksAgain } from "./airflowsPage";
import { host } from "./Host";

let reloads: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  reloads = vi.spyOn(host(), "reload").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

interface ProbeProps {
  begun: boolean | undefined;
}

function Probe({ begun }: ProbeProps) {
  useAirflowLooksAgain(begun);
  return null;
}

/** A record whose run stands as each of these says, one answer after the other. */
function follow(steps: (boolean | undefined)[], state: unknown = null) {
  const page = (begun: boolean | undefined) => (
    <MemoryRouter initialEntries={[{ pathname: "/records/7", state }]}>
      <Probe begun={begun} />
    </MemoryRouter>
  );
  const { rerender } = render(page(steps[0]));
  for (const begun of steps.slice(1)) {
    rerender(page(begun));
  }
}

it.each([
  ["a run that begins while it is looked at", [false, true, true], null, 1],
  ["a run that has begun before the first answer after its submit", [undefined, true], SUBMITTED, 1],
  ["a run that has begun long ago", [true, true], null, 0],
  ["a page about another run", [undefined, undefined], SUBMITTED, 0],
  ["a run that waits", [false, false], SUBMITTED, 0],
])("loads Airflow's page anew for %s", (_, steps, state, times) => {
  follow(steps, state);
  expect(reloads).toHaveBeenCalledTimes(times);
});

it.each(["textarea", "dialog"])("waits while somebody is busy with a %s", (what) => {
  const element = document.body.appendChild(document.createElement(what === "dialog" ? "div" : what));
  element.setAttribute("role", what === "dialog" ? "dialog" : "textbox");
  element.focus();
  follow([false, true]);
  expect(reloads).not.toHaveBeenCalled();
});
