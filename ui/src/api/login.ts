/** The way to Airflow's login, and when it leads nowhere. */

import { host } from "../host/Host";

/** Where it is kept which call was refused before the login. */
const PLACE = "rerun-downstream:login";

/**
 * A call was refused because nobody is logged in. Whoever comes back from the login and is refused the same call isn't sent
 * there again: a login that asks nothing would send them back at once, and so on without an end.
 */
export function logIn({ url }: Pick<Response, "url">): void {
  if (kept() === null) {
    keep(pathOf(url));
    host().login();
  }
}

/** A call was answered: where it is the one that wasn't before, the login has helped. */
export function isLoggedIn({ url }: Pick<Response, "url">): void {
  if (kept() === pathOf(url)) {
    keep(null);
  }
}

/** The person wants to log in once more. */
export function logInAgain(): void {
  keep(null);
  host().login();
}

function pathOf(url: string): string {
  return url.replace(/[?#].*$/, "");
}

function kept(): string | null {
  try {
    return sessionStorage.getItem(PLACE);
  } catch {
    return "nowhere"; // without a memory nobody can tell whether it has helped
  }
}

function keep(path: string | null): void {
  try {
    if (path === null) {
      sessionStorage.removeItem(PLACE);
    } else {
      sessionStorage.setItem(PLACE, path);
    }
  } catch {
    // Forbidden, or full.
  }
}
