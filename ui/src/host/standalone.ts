import type { Host, Preferences } from "./Host";
import { isDagRunPath, menuBase, rootOf } from "./paths";
import { Title } from "./title";

export type Frame = Window & typeof globalThis;

/** This page by itself in a browser's tab. */
export class Standalone implements Host {
  readonly airflowRoot: string;
  readonly embedded: boolean = false;
  private known: Preferences | undefined;
  private title: Title | undefined;
  private stop: AbortController | undefined;
  private readonly listeners = new Set<() => void>();

  /** `outer` is the window whose address the browser's bar shows. */
  constructor(
    protected readonly page: Frame,
    protected readonly outer: Frame = page,
  ) {
    this.airflowRoot = rootOf(page.location.pathname);
  }

  readonly preferences = (): Preferences => (this.known ??= this.read());

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed);
    if (this.stop === undefined) {
      this.stop = new AbortController();
      this.watch(this.look, this.stop.signal);
      this.look(); // nobody has looked since the last one stopped
    }
    return () => {
      this.listeners.delete(changed);
      if (this.listeners.size === 0) {
        this.stop?.abort();
        this.stop = undefined;
      }
    };
  };

  styles(): CSSStyleDeclaration | null {
    return null;
  }

  openAirflow(path: string, newTab = false): void {
    const url = this.airflowRoot + path;
    if (newTab) {
      this.outer.open(url, "_blank", "noopener");
    } else {
      this.openHere(url);
    }
  }

  login(): void {
    this.follow(`${this.airflowRoot}api/v2/auth/login?next=${encodeURIComponent(this.outer.location.href)}`);
  }

  reload(): void {
    this.outer.location.reload();
  }

  download(url: string, name: string): void {
    this.follow(url, name);
  }

  address(): string {
    return this.outer.location.href;
  }

  setTitle(text: string): void {
    this.page.document.title = text;
    this.title ??= new Title(this.page, this.outer);
    this.title.set(text);
  }

  onTab(): boolean {
    return this.embedded && menuBase(this.outer.location.pathname) === undefined;
  }

  isAbout(dagId: string, runId: string): boolean {
    return isDagRunPath(this.outer.location.pathname, dagId, runId);
  }

  routerWindow(): Window {
    return this.page;
  }

  protected openHere(url: string): void {
    this.page.location.href = url;
  }

  protected isDark(): boolean {
    const chosen = this.page.localStorage.getItem("theme");
    return chosen === "dark" || (chosen !== "light" && this.systemMode().matches);
  }

  protected shownLanguage(): string {
    return this.page.navigator.language;
  }

  /** Calls `look` whenever a preference may have changed. */
  protected watch(look: () => void, signal: AbortSignal): void {
    this.page.addEventListener("storage", look, { signal });
    this.systemMode().addEventListener("change", look, { signal });
  }

  /** In the outer window: the sandbox of a frame needn't allow downloads, nor steps of the whole page. */
  private follow(url: string, download?: string): void {
    const { document } = this.outer;
    const link = document.createElement("a");
    link.href = url;
    if (download !== undefined) {
      link.download = download;
    }
    document.body.append(link);
    link.click();
    link.remove();
  }

  private systemMode(): MediaQueryList {
    return this.page.matchMedia("(prefers-color-scheme: dark)");
  }

  private read(): Preferences {
    // Airflow's page has lang="en" before its translations are there, so what is stored comes first.
    const language = this.page.localStorage.getItem("i18nextLng") ?? this.shownLanguage();
    return { dark: this.isDark(), language, timeZone: timeZone(this.page.localStorage.getItem("timezone")) };
  }

  private readonly look = () => {
    const [before, now] = [this.known, this.read()];
    if (before?.dark !== now.dark || before.language !== now.language || before.timeZone !== now.timeZone) {
      this.known = now;
      this.listeners.forEach((changed) => changed());
    }
  };
}

/** The time zone that Airflow has stored, or the browser's own. */
function timeZone(stored: string | null): string {
  try {
    const chosen: unknown = JSON.parse(stored ?? "null");
    if (typeof chosen === "string") {
      Intl.DateTimeFormat(undefined, { timeZone: chosen }); // throws
      return chosen;
    }
  } catch {
    // Not JSON, or no time zone that this browser knows.
  }
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
