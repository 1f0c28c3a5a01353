import "../i18n";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { adoptAddress } from "../host/address";
import { preferences } from "../host/preferences";
import { applyTheme } from "../host/theme";

async function start(): Promise<void> {
  adoptAddress();
  applyTheme(preferences().dark); // before anything is drawn: no flash of the other mode
  const { App } = await import("./App"); // its router reads the address, which is the right one only now
  const root = document.getElementById("root");
  if (root !== null) {
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    );
  }
}

void start();
