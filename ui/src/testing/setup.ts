import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

import { installHost } from "../host/Host";
import { Standalone } from "../host/standalone";

afterEach(cleanup);

// What a page has kept is nothing to the next test.
afterEach(() => {
  Object.keys(localStorage)
    .filter((name) => name.startsWith("rerun-downstream:"))
    .forEach((name) => localStorage.removeItem(name));
});

// A busy machine draws a page in seconds.
configure({ asyncUtilTimeout: 10_000 });
vi.setConfig({ testTimeout: 30_000 });

// What the person has chosen in Airflow.
localStorage.setItem("timezone", '"UTC"');
localStorage.setItem("i18nextLng", "en");

// What jsdom doesn't have, and the components ask for.
Object.assign(window, {
  matchMedia: (media: string) => ({
    matches: false,
    media,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }),
});
Object.assign(globalThis, {
  PointerEvent: class extends MouseEvent {},
  ResizeObserver: class {
    observe = () => undefined;
    unobserve = () => undefined;
    disconnect = () => undefined;
  },
});

installHost(new Standalone(window));

// A browser's requests know where the page is, and take the page's own signals; Node's do neither.
const NodeRequest = globalThis.Request;
globalThis.Request = class extends NodeRequest {
  constructor(input: RequestInfo | URL, init: RequestInit = {}) {
    super(typeof input === "string" ? new URL(input, window.location.href) : input, { ...init, signal: undefined });
  }
};
Object.assign(SVGElement.prototype, { getBBox: () => ({ x: 0, y: 0, width: 0, height: 0 }) });
