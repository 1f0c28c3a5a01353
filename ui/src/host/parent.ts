/** Airflow's own window, when this page is shown inside it: same origin, so it can be read and driven. */

const APP = "/rerun-downstream/ui";

function findParent(): Window | null {
  try {
    const candidate = window.parent;
    // Reading the document throws for another origin. Airflow's page has its application in #root.
    return candidate !== window && candidate.document.querySelector("#root") !== null ? candidate : null;
  } catch {
    return null;
  }
}

export const parentWindow = findParent();
export const embedded = parentWindow !== null;

function rootOf(pathname: string): string {
  const at = pathname.indexOf(APP);
  return at < 0 ? "/" : `${pathname.slice(0, at)}/`;
}

/** Path of Airflow's own pages, with a slash at its end: `/`, or `/airflow/` below a sub-path. */
export const airflowRoot = rootOf(window.location.pathname);

/** Path of this application, without a slash at its end. */
export const appRoot = `${airflowRoot.slice(0, -1)}${APP}`;

/** Path of the REST API of this package, without a slash at its end. */
export const apiRoot = `${airflowRoot}rerun-downstream`;
