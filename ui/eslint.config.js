import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import i18next from "eslint-plugin-i18next";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

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
  // Every visible word stands in the catalogue.
  { files: ["src/**/*.tsx"], ignores: ["src/**/*.test.tsx"], ...i18next.configs["flat/recommended"] },
  // What tables and virtual lists hand out can't be memoised by a compiler, which isn't in use.
  { files: ["src/ui/table/DataTable.tsx", "src/features/rerun/timeline/MemberTimeline.tsx"], rules: { "react-hooks/incompatible-library": "off" } },
  { files: ["eslint.config.js"], ...tseslint.configs.disableTypeChecked },
);
