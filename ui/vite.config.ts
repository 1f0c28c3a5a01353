import react from "@vitejs/plugin-react";
import sbom from "rollup-plugin-sbom";
import { defineConfig } from "vitest/config";

import { notices } from "./notices";

const STATIC = "../airflow_rerun_downstream/static";

/** `npm run dev` shows the pages on data of the Airflow at this address. */
const AIRFLOW = process.env.AIRFLOW_URL ?? "http://127.0.0.1:8080";

/** What tells which libraries the bundle has: their licences, and once more for programs, as a CycloneDX document. */
function aboutTheBundle() {
  return [
    notices(`${STATIC}/third-party-notices.txt`),
    // Without a time in it, the same sources give the same file.
    sbom({ outDir: ".", outFilename: "pages.cdx", saveTimestamp: false, includeWellKnown: false }),
  ];
}

export default defineConfig(({ command }) => ({
  // The server puts the page's real root before these references: the page is served under deep addresses.
  base: command === "serve" ? "/rerun-downstream/ui/" : "./",
  plugins: [react(), ...(command === "build" ? aboutTheBundle() : [])],
  build: {
    outDir: STATIC,
    emptyOutDir: true,
    target: "es2022",
    // An inline script or style would be refused by the page's content security policy.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1600,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/rerun-downstream/api": AIRFLOW, "/api": AIRFLOW, "/auth": AIRFLOW },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    testTimeout: 30_000, // a busy machine is slow, not wrong
    include: ["src/**/*.test.{ts,tsx}"],
  },
}));
