/** Saving a file that the server makes. */

import { parentWindow } from "./parent";

/**
 * Save what an address of this server answers. The sandbox of Airflow's iframe needn't allow downloads, so that Airflow's
 * own page makes them, of the same origin.
 */
export function download(url: string, name: string): void {
  const { document } = parentWindow ?? window;
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
