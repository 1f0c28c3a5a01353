import { ESLint } from "eslint";
import { expect, it, vi } from "vitest";

vi.setConfig({ testTimeout: 120_000 }); // the first one reads the types of all sources

const eslint = new ESLint({ ruleFilter: ({ ruleId }) => ruleId.startsWith("import-x/") });

/** The rules about imports that a file would break with this line in it. */
async function broken(file: string, specifier: string): Promise<string[]> {
  const [result] = await eslint.lintText(`import * as other from "${specifier}";\nexport { other };\n`, {
    filePath: `src/${file}`,
  });
  return (result?.messages ?? []).map(({ ruleId }) => ruleId ?? "");
}

it.each([
  ["features/wizard/StepBar.tsx", "../rerun/context"],
  ["features/rerun/context.ts", "../reruns/query"],
  ["ui/Time.tsx", "../features/rerun/words"],
  ["ui/Time.tsx", "../app/routes"],
  ["domain/dates.ts", "../ui/Time"],
  ["api/client.ts", "../domain/dates"],
  ["i18n/words.ts", "../ui/Time"],
  ["host/paths.ts", "../domain/progress"],
])("%s may not import %s", async (file, specifier) => {
  expect(await broken(file, specifier)).toContain("import-x/no-restricted-paths");
});

it("refuses a circle", async () => {
  expect(await broken("ui/graph/keyboard.ts", "./Graph")).toEqual(["import-x/no-cycle"]);
});

it("lets a feature import what pages share", async () => {
  expect(await broken("features/wizard/StepBar.tsx", "../../ui/Time")).toEqual([]);
});
