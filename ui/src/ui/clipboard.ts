/** The clipboard, as far as a browser lets a page have it. */

/** Whether a text is in the clipboard now. On plain HTTP a browser has none for pages, but copies what is selected. */
export async function written(text: string, select: () => unknown): Promise<boolean> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  try {
    if (clipboard === undefined) {
      select();
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing has taken its place there
      return document.execCommand("copy");
    }
    await clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** The same with a text that stands nowhere on the page. */
export async function copiedText(text: string): Promise<boolean> {
  const scratch = document.createElement("textarea");
  const copied = await written(text, () => {
    scratch.value = text;
    document.body.append(scratch);
    scratch.select();
  });
  scratch.remove();
  return copied;
}
