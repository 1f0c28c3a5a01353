/** What a table has cut off is at hand: by pointer as a title, by keyboard in a box below the row. */

import { useEffect, useState } from "react";

/** What is cut off in the row that has the focus, and where to show it. */
export interface WholeTexts {
  texts: string[];
  x: number;
  y: number;
}

/** Whether some of an element's text can't be seen. */
export function isCut(cell: HTMLElement): boolean {
  return [cell, ...cell.querySelectorAll<HTMLElement>("*")].some(
    (each) => each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1,
  );
}

/** The texts that are cut off in a row. */
export function cutIn(row: HTMLElement): string[] {
  const cells = [...row.querySelectorAll<HTMLElement>("[data-cell]")];
  return cells.filter(isCut).map((cell) => cell.textContent);
}

function cutBeside(focused: HTMLElement): WholeTexts | null {
  const row = focused.closest<HTMLElement>("[data-row]");
  const texts = row !== null && focused.matches(":focus-visible") ? cutIn(row) : [];
  const { left, bottom } = focused.getBoundingClientRect();
  return texts.length === 0 ? null : { texts, x: left, y: bottom };
}

/** Follows pointer and focus in a table. */
export function useWholeTexts(region: React.RefObject<HTMLElement | null>): WholeTexts | null {
  const [shown, setShown] = useState<WholeTexts | null>(null);
  useEffect(() => {
    const table = region.current;
    if (table === null) {
      return undefined;
    }
    const stop = new AbortController();
    const hide = () => setShown(null);
    const focused = ({ target }: Event) => setShown(cutBeside(target as HTMLElement));
    // The browser scrolls to what gets the focus, after it has it.
    const scrolled = () => setShown((before) => before && cutBeside(document.activeElement as HTMLElement));
    const pointed = ({ target }: MouseEvent) => {
      const cell = (target as HTMLElement).closest<HTMLElement>("[data-cell]");
      if (cell !== null) {
        cell.title = isCut(cell) ? cell.textContent : "";
      }
    };
    const pressed = ({ key }: KeyboardEvent) => key === "Escape" && hide();
    const options = { signal: stop.signal };
    table.addEventListener("focusin", focused, options);
    table.addEventListener("focusout", hide, options);
    table.addEventListener("mouseover", pointed, options);
    table.addEventListener("keydown", pressed, options);
    document.addEventListener("scroll", scrolled, { ...options, capture: true });
    return () => stop.abort();
  }, [region]);
  return shown;
}
