import license, { type Dependency } from "rollup-plugin-license";
import type { Rollup } from "vite";

/** What a library in the bundle may be under; pyproject.toml's `license` names the same. */
const ALLOWED = "(MIT OR ISC OR BSD-3-Clause OR Apache-2.0)";

const HEADER = `The web pages of airflow-rerun-downstream contain the libraries below.
Their icons, which come with react-icons, are Google's Material Design Icons, under the Apache License 2.0.`;

const RULE = "=".repeat(80);

/**
 * Writes the licences of every library in the bundle to a file. The build fails if one has no licence, none of those that
 * are allowed, or no text of it.
 */
export function notices(file: string): Rollup.Plugin {
  const plugin = license({
    thirdParty: {
      multipleVersions: true,
      allow: { test: ALLOWED, failOnUnlicensed: true, failOnViolation: true },
      output: { file, template: (found) => [HEADER, ...found.map(notice).sort()].join(`\n\n${RULE}\n`) + "\n" },
    },
  }) as Rollup.Plugin & { renderChunk: (this: unknown, code: string, chunk: object, options: object) => unknown };
  return {
    ...plugin,
    // The plugin looks at the modules of which the bundle keeps code. What these import counts, too: a constant of a module
    // that is gone may stand where it was used.
    renderChunk(code, chunk, options) {
      const ids = chunk.moduleIds.flatMap((id) => [id, ...(this.getModuleInfo(id)?.importedIds ?? [])]);
      const modules = Object.fromEntries(ids.map((id) => [id, { renderedLength: 1 }]));
      plugin.renderChunk.call(this, code, { ...chunk, modules }, options);
      return null;
    },
  };
}

function notice({ name, version, license: licence, licenseText, noticeText }: Dependency): string {
  if (!licenseText) throw new Error(`${String(name)} comes without the text of its licence`);
  const texts = [licenseText, noticeText].filter((text) => text).map((text) => String(text).trim());
  return [`${String(name)} ${String(version)} (${String(licence)})`, ...texts].join("\n\n");
}
