import "./i18n";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { adoptAddress } from "./airflow/address";
import { preferences } from "./airflow/preferences";
import { applyTheme } from "./theme/follow";

async function start(): Promise<void> {
  adoptAddress();
  applyTheme(preferences().dark); // before anything is drawn: no flash of the other mode
  const { App } = await import("./app"); // its router reads the address, which is the right one only now
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
