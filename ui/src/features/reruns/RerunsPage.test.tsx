import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import "../../i18n";
import { host } from "../../host/Host";
import { type Asked, showPage } from "../../testing/page";
import { RecordsPage } from "./RerunsPage";
import { NOBODY, rerunOf } from "../../testing/samples";
import { savedFiles } from "../../testing/files";

const show = (address: string, total: number) =>
  showPage(address, "/records", <RecordsPage />, ({ path }) =>
    path === "/reruns"
      ? { reruns: total > 0 ? [rerunOf(), rerunOf({ id: 8, name: "Right rate" })] : [], total_entries: total }
      : undefined,
  );

/** What the list was asked for last; others ask as well. */
const last = (asked: readonly Asked[]) => asked.findLast(({ path }) => path === "/reruns")?.query;

it("leads to each record, by its name or its number", async () => {
  show("/records", 2);
  expect((await screen.findByRole("link", { name: "Rerun #7" })).getAttribute("href")).toBe("/records/7");
  expect(screen.getByRole("link", { name: "Right rate" }).getAttribute("href")).toBe("/records/8");
});

it("asks the server for what the address says, and keeps it when the page turns", async () => {
  const { asked, router } = show("/records?dag=shop&order_by=name", 120);
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Next" }));
  await waitFor(() => expect(last(asked)?.get("offset")).toBe("50"));
  expect(last(asked)?.get("dag_id_pattern")).toBe("shop");
  expect(last(asked)?.get("order_by")).toBe("name");
  expect(router.state.location.search).toBe("?dag=shop&order_by=name&offset=50");
});

it("says of no run that it runs, for nobody has asked Airflow", async () => {
  const rerun = rerunOf({ counts: { ...NOBODY, running: 2, succeeded: 1 } });
  showPage("/records", "/records", <RecordsPage />, () => ({ reruns: [rerun], total_entries: 1 }));
  const bar = await screen.findByRole("progressbar");
  expect(bar.getAttribute("aria-valuetext")).toBe("1 of 3 done, 2 queued or running");
});

it("asks for what is typed when the typing stops", async () => {
  const { asked } = show("/records", 2);
  const field = await screen.findByLabelText("Dag ID");
  for (const value of ["f", "fi", "fin"]) {
    fireEvent.change(field, { target: { value } });
  }
  await waitFor(() => expect(last(asked)?.get("dag_id_pattern")).toBe("fin"));
  expect(asked.some(({ query }) => query.get("dag_id_pattern") === "f")).toBe(false);
});

it("explains itself on first use, and offers to clear filters that match nothing", async () => {
  show("/records", 0);
  expect((await screen.findByRole("link", { name: "Choose a Dag run" })).getAttribute("href")).toBe("/dag-runs");
});

it("offers to clear filters that match nothing", async () => {
  const { router } = show("/records?state=failed", 0);
  const user = userEvent.setup();
  await screen.findByText("No rerun matches");
  for (const button of screen.getAllByRole("button", { name: "Clear filters" }).slice(-1)) {
    await user.click(button);
  }
  expect(router.state.location.search).toBe("");
});

it("searches in names and reasons", async () => {
  const { asked, router } = show("/records", 2);
  fireEvent.change(await screen.findByLabelText("Name or reason"), { target: { value: "100% rate" } });
  await waitFor(() => expect(last(asked)?.get("search")).toBe("100% rate"));
  expect(router.state.location.search).toBe("?search=100%25%20rate");
});

it("has the filters of the last visit until they are cleared, but an address has its own", async () => {
  const first = show("/records", 120);
  await userEvent.selectOptions(await screen.findByLabelText("State"), "failed");
  await waitFor(() => expect(first.router.state.location.search).toBe("?state=failed"));
  first.unmount();
  const addressed = show("/records?dag=shop", 2);
  await screen.findByLabelText("State");
  expect(addressed.router.state.location.search).toBe("?dag=shop");
  addressed.unmount();
  const again = show("/records", 2);
  await waitFor(() => expect(again.router.state.location.search).toBe("?state=failed"));
  await screen.findByRole("table");
  const lists = again.asked.filter(({ path }) => path === "/reruns");
  expect(lists.map(({ query }) => query.get("state"))).toEqual(lists.map(() => "failed"));
  await userEvent.click(screen.getByRole("button", { name: "Clear filters" }));
  await waitFor(() => expect(again.router.state.location.search).toBe(""));
  again.unmount();
  const bare = show("/records", 2);
  await screen.findByLabelText("State");
  expect(bare.router.state.location.search).toBe("");
});

it("saves every rerun that matches, page by page, and says if the list is another one each time", async () => {
  const saved = savedFiles(host());
  const listed = [7, 8, 9];
  let growing = false;
  showPage("/records?state=failed", "/records", <RecordsPage />, ({ path, query }) => {
    if (path !== "/reruns") {
      return undefined;
    }
    const offset = Number(query.get("offset"));
    const saving = query.get("order_by") === "id";
    if (saving && growing && offset === 0) {
      listed.push(7 + listed.length);
    }
    const ids = saving ? listed.slice(offset, offset + 2) : [9, 8];
    return { reruns: ids.map((id) => rerunOf({ id, name: "=1+1" })), total_entries: listed.length };
  });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "CSV" }));
  await waitFor(() => expect(saved).toHaveLength(1));
  expect(saved[0]?.name).toMatch(/^reruns-\d{8}T\d{6}Z\.csv$/);
  const lines = (await saved[0]?.text())?.split("\r\n") ?? [];
  expect(lines.slice(1, 4).map((line) => line.split(",").slice(0, 2).join())).toEqual([
    "7,'=1+1",
    "8,'=1+1",
    "9,'=1+1",
  ]);
  expect(lines).toHaveLength(5);
  growing = true;
  await user.click(screen.getByRole("button", { name: "JSON" }));
  await waitFor(() => expect(saved).toHaveLength(2));
  const told = JSON.parse((await saved[1]?.text()) ?? "") as { notes: string[]; items: { id: number }[] };
  expect(told.items.map(({ id }) => id)).toEqual(listed);
  expect(told.notes).toEqual([expect.stringContaining("changed while it was read")]);
  vi.restoreAllMocks();
});
