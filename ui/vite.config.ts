import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** `npm run dev` shows the pages on data of the Airflow at this address. */
const AIRFLOW = process.env.AIRFLOW_URL ?? "http://127.0.0.1:8080";

export default defineConfig(({ command }) => ({
  // The server puts the page's real root before these references: the page is served under deep addresses.
  base: command === "serve" ? "/rerun-downstream/ui/" : "./",
  plugins: [react()],
  build: {
    outDir: "../airflow_rerun_downstream/static",
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
