/** A notification of the browser's own, and what stands in its way. */

/** Why none can be shown. */
export type Barrier =
  /** The browser has none, or this page isn't served over HTTPS. */
  | "unsupported"
  /** The page is in a frame of another site: browsers ask for no permission there. */
  | "framed"
  /** The person, or an administrator, has blocked them for this site. */
  | "denied";

type Frame = Window & typeof globalThis;

/** What stands in the way in this window; null: nothing, or the person hasn't been asked yet. */
export function barrier(page: Frame): Barrier | null {
  if (typeof page.Notification !== "function" || !page.isSecureContext) {
    return "unsupported";
  }
  if (inForeignFrame(page)) {
    return "framed";
  }
  return page.Notification.permission === "denied" ? "denied" : null;
}

/** Asks the person, if they haven't been; only to be called for a click. */
export async function permitted(page: Frame): Promise<Barrier | null> {
  const found = barrier(page);
  if (found !== null || page.Notification.permission === "granted") {
    return found;
  }
  // Without an answer there is no permission either; it can be asked for again.
  return (await page.Notification.requestPermission()) === "granted" ? null : "denied";
}

/** Shows one; `tag`: of several pages that show the same, the person sees one. False where it can't be. */
export function show(page: Frame, title: string, body: string, tag: string): boolean {
  if (barrier(page) !== null || page.Notification.permission !== "granted") {
    return false;
  }
  try {
    const shown = new page.Notification(title, { body, tag });
    shown.onclick = () => {
      page.focus();
      shown.close();
    };
    return true;
  } catch {
    return false; // on phones, only a service worker may
  }
}

function inForeignFrame(page: Frame): boolean {
  try {
    return page.top !== page && page.top?.location.origin !== page.location.origin;
  } catch {
    return true; // another origin's address can't be read
  }
}
