/** Take over the colours, fonts and colour mode of the Airflow page around this one, a site's own theme included. */

import { parentWindow } from "./parent";
import { system } from "../ui/theme/system";

const FOLLOWED = new Set(["colors", "fonts", "radii"]);

function names(): string[] {
  return system.tokens.allTokens
    .filter((token) => FOLLOWED.has(token.extensions.category))
    .map((token) => (system.token.var(token.name) as string).replace(/^var\((.*)\)$/, "$1"))
    .filter((name) => name.startsWith("--"));
}

/** Apply a colour mode to this document. Call it again when the mode changes: Airflow's values change with it. */
export function applyTheme(dark: boolean): void {
  const root = document.documentElement;
  root.classList.toggle("dark", dark);
  root.classList.toggle("light", !dark);
  root.style.colorScheme = dark ? "dark" : "light";
  if (parentWindow === null) {
    return;
  }
  const theirs = parentWindow.getComputedStyle(parentWindow.document.documentElement);
  for (const name of names()) {
    const value = theirs.getPropertyValue(name);
    if (value !== "") {
      root.style.setProperty(name, value);
    }
  }
}
