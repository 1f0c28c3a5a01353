import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import "../../i18n";
import { showPage } from "../../testing/page";
import { RecordsPage } from "./RerunsPage";
import { rerunOf } from "../../testing/samples";

const show = (address: string, total: number) =>
  showPage(address, "/records", <RecordsPage />, () => ({
    reruns: total > 0 ? [rerunOf(), rerunOf({ id: 8, name: "Right rate" })] : [],
    total_entries: total,
  }));

it("leads to each record, by its name or its number", async () => {
  show("/records", 2);
  expect((await screen.findByRole("link", { name: "Rerun #7" })).getAttribute("href")).toBe("/records/7");
  expect(screen.getByRole("link", { name: "Right rate" }).getAttribute("href")).toBe("/records/8");
});

it("asks the server for what the address says, and keeps it when the page turns", async () => {
  const { asked, router } = show("/records?dag=shop&order_by=name", 120);
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Next" }));
  await waitFor(() => expect(asked.at(-1)?.query.get("offset")).toBe("50"));
  expect(asked.at(-1)?.query.get("dag_id_pattern")).toBe("shop");
  expect(asked.at(-1)?.query.get("order_by")).toBe("name");
  expect(router.state.location.search).toBe("?dag=shop&order_by=name&offset=50");
});

it("asks for what is typed when the typing stops", async () => {
  const { asked } = show("/records", 2);
  const field = await screen.findByLabelText("Dag ID");
  for (const value of ["f", "fi", "fin"]) {
    fireEvent.change(field, { target: { value } });
  }
  await waitFor(() => expect(asked.at(-1)?.query.get("dag_id_pattern")).toBe("fin"));
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
