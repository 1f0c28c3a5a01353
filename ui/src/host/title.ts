/** What a window's title says while this page is shown in it. */

/** Keeps the title as long as this page is there, also where Airflow gives its own later; then Airflow's is back. */
export class Title {
  private theirs: string;
  private ours: string | undefined;

  constructor(page: Window, outer: Window & typeof globalThis) {
    const { document } = outer;
    this.theirs = document.title;
    const observer = new outer.MutationObserver(() => {
      if (this.ours !== undefined && document.title !== this.ours) {
        this.theirs = document.title;
        document.title = this.ours;
      }
    });
    observer.observe(document.head, { childList: true, subtree: true, characterData: true });
    page.addEventListener("pagehide", () => {
      observer.disconnect();
      document.title = this.theirs;
    });
    this.set = (text) => {
      this.ours = text;
      document.title = text;
    };
  }

  readonly set: (text: string) => void;
}
