import { expect, it } from "vitest";

import { download } from "./download";

it("saves under a name, and leaves nothing behind", () => {
  const saved: string[] = [];
  const heard = (event: MouseEvent) => {
    event.preventDefault();
    const link = event.target as HTMLAnchorElement;
    saved.push(`${link.getAttribute("href") ?? ""} as ${link.download}`);
  };
  document.addEventListener("click", heard);
  download("/airflow/rerun-downstream/api/v1/x", "x.csv");
  document.removeEventListener("click", heard);
  expect(saved).toEqual(["/airflow/rerun-downstream/api/v1/x as x.csv"]);
  expect(document.querySelector("a[download]")).toBeNull();
});
