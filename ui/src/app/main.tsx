import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App";
import { type Host, installHost } from "../host/Host";
import { airflowAround, Iframe } from "../host/iframe";
import { Standalone } from "../host/standalone";
import { applyTheme } from "../host/theme";
import { speak } from "../i18n";
import { makeRouter } from "./routes";

function hostOf(page: Window & typeof globalThis): Host {
  const outer = airflowAround(page);
  return outer === null ? new Standalone(page) : new Iframe(page, outer);
}

const host = hostOf(window);
installHost(host);

// Before anything is drawn: no flash of the other mode, or of another language.
const { dark, language } = host.preferences();
applyTheme(document, dark, host.styles());
speak(document, language);

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App router={makeRouter(host)} />
    </StrictMode>,
  );
}
