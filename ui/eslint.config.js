import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import i18next from "eslint-plugin-i18next";
import { importX } from "eslint-plugin-import-x";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const inFolder = (folder) => `./src/${folder}`;
const FEATURES = ["wizard", "rerun", "reruns", "dag-runs"].map((name) => `features/${name}`);

/** What a folder may not import. Below everything stands `host`; nothing but `app` knows two features. */
const ZONES = [
  ...FEATURES.map((feature) => [feature, ["app", ...FEATURES.filter((other) => other !== feature)]]),
  ["ui", ["app", "features"]],
  ["domain", ["app", "features", "ui", "host", "i18n"]],
  ["api", ["app", "features", "ui", "i18n", "domain"]],
  ["i18n", ["app", "features", "ui", "domain"]],
  ["host", ["app", "features", "ui/table", "ui/fields", "ui/feedback", "ui/graph", "api", "domain", "i18n"]],
].map(([target, from]) => ({ target: inFolder(target), from: from.map(inFolder) }));

export default tseslint.config(
  { ignores: ["node_modules", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  a11y.flatConfigs.recommended,
  hooks.configs.flat["recommended-latest"],
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // "" stands for "not given" in addresses and form fields.
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: { string: true } }],
      "max-lines": ["error", 300],
      eqeqeq: "error",
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "import-x": importX },
    settings: {
      ...importX.flatConfigs.typescript.settings,
      "import-x/resolver-next": [createTypeScriptImportResolver({ project: import.meta.dirname })],
    },
    rules: {
      "import-x/no-cycle": "error",
      "import-x/no-restricted-paths": ["error", { basePath: import.meta.dirname, zones: ZONES }],
    },
  },
  // Every visible word stands in the catalogue.
  { files: ["src/**/*.tsx"], ignores: ["src/**/*.test.tsx"], ...i18next.configs["flat/recommended"] },
  // What tables and virtual lists hand out can't be memoised by a compiler, which isn't in use.
  {
    files: ["src/ui/table/DataTable.tsx", "src/ui/ScrollRegion.tsx"],
    rules: { "react-hooks/incompatible-library": "off" },
  },
  { files: ["eslint.config.js", "pseudo.js"], ...tseslint.configs.disableTypeChecked },
);
