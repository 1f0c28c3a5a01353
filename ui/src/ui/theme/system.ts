/** Airflow's look: its palette and names of tokens, with which Chakra's components are drawn. */

import { createSystem, defaultConfig, defineConfig } from "@chakra-ui/react";

import { BLACK, PALETTE, SHADES } from "./palette";

/** Which colour stands for which state. Task and run states are Airflow's; the rest are of reruns. */
const ROLES: Record<string, string> = {
  brand: "brand",
  danger: "red",
  info: "blue",
  warning: "amber",
  error: "red",
  active: "blue",
  success: "green",
  failed: "red",
  queued: "stone",
  skipped: "pink",
  up_for_reschedule: "sky",
  up_for_retry: "yellow",
  upstream_failed: "amber",
  running: "cyan",
  restarting: "violet",
  deferred: "purple",
  scheduled: "zinc",
  none: "gray",
  removed: "slate",
  red: "red",
  orange: "orange",
  green: "green",
  blue: "blue",
  gray: "gray",
  purple: "purple",
};

const colors = Object.fromEntries(
  Object.entries(PALETTE).map(([name, values]) => [
    name,
    Object.fromEntries(SHADES.map((shade, index) => [shade, { value: values[index] ?? "" }])),
  ]),
);

function role(color: string) {
  const pair = (light: number, dark: number) => ({
    value: { _light: `{colors.${color}.${light}}`, _dark: `{colors.${color}.${dark}}` },
  });
  return {
    solid: { value: `{colors.${color}.600}` },
    contrast: { value: "white" },
    fg: pair(800, 200),
    muted: pair(200, 800),
    subtle: pair(100, 900),
    emphasized: pair(300, 700),
    focusRing: pair(800, 200),
  };
}

export const system = createSystem(
  defaultConfig,
  defineConfig({
    theme: {
      tokens: { colors: { black: { value: BLACK }, ...colors } },
      semanticTokens: {
        colors: Object.fromEntries(Object.entries(ROLES).map(([name, color]) => [name, role(color)])),
      },
    },
    globalCss: {
      "html, body, #root": { height: "100%" },
      body: { background: "bg", color: "fg", fontSize: "sm" },
      "*:focus-visible": { outlineOffset: "2px" },
    },
  }),
);
