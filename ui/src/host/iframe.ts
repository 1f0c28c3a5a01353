import { outerWindow } from "./address";
import { appRoot } from "./paths";
import { type Frame, Standalone } from "./standalone";

/** Airflow's own window, when this page is shown inside it: same origin, so it can be read and driven. */
export function airflowAround(page: Frame): Frame | null {
  try {
    const candidate = page.parent as Frame;
    // Reading the document throws for another origin. Airflow's page has its application in #root.
    return candidate !== page && candidate.document.querySelector("#root") !== null ? candidate : null;
  } catch {
    return null;
  }
}

/** This page in a frame of Airflow's. */
export class Iframe extends Standalone {
  override readonly embedded = true;

  constructor(
    page: Frame,
    protected override readonly outer: Frame,
  ) {
    super(page, outer);
  }

  override styles(): CSSStyleDeclaration {
    return this.outer.getComputedStyle(this.root());
  }

  override routerWindow(): Window {
    return outerWindow(this.page, this.outer, appRoot(this));
  }

  /**
   * The sandbox of Airflow's iframe blocks `target=_top` and new windows, so that Airflow's own router is told instead;
   * Back returns here.
   */
  protected override openHere(url: string): void {
    this.outer.history.pushState(null, "", url);
    this.outer.dispatchEvent(new this.outer.PopStateEvent("popstate", { state: null }));
  }

  protected override isDark(): boolean {
    return this.root().classList.contains("dark");
  }

  protected override shownLanguage(): string {
    return this.root().lang || super.shownLanguage();
  }

  protected override watch(look: () => void, signal: AbortSignal): void {
    super.watch(look, signal);
    // Airflow's page and this one share their storage, but the browser tells only the other windows of a change.
    this.outer.addEventListener("local-storage", look, { signal });
    const observer = new this.outer.MutationObserver(look);
    observer.observe(this.root(), { attributes: true, attributeFilter: ["class", "lang"] });
    signal.addEventListener("abort", () => observer.disconnect());
  }

  private root(): HTMLElement {
    return this.outer.document.documentElement;
  }
}
