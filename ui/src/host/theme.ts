/** Take over the colours, fonts and colour mode of the Airflow page around this one, a site's own theme included. */

import { system } from "../ui/theme/system";

const FOLLOWED = new Set(["colors", "fonts", "radii"]);

function names(): string[] {
  return system.tokens.allTokens
    .filter((token) => FOLLOWED.has(token.extensions.category))
    .map((token) => (system.token.var(token.name) as string).replace(/^var\((.*)\)$/, "$1"))
    .filter((name) => name.startsWith("--"));
}

/** Apply a colour mode to a document. Call it again when the mode changes: Airflow's values change with it. */
export function applyTheme({ documentElement: root }: Document, dark: boolean, theirs: CSSStyleDeclaration | null) {
  root.classList.toggle("dark", dark);
  root.classList.toggle("light", !dark);
  root.style.colorScheme = dark ? "dark" : "light";
  if (theirs === null) {
    return;
  }
  for (const name of names()) {
    const value = theirs.getPropertyValue(name);
    if (value !== "") {
      root.style.setProperty(name, value);
    }
  }
}
