/** Values as other languages write them: JSON, Python, and words of a POSIX shell. */

const WIDTH = 100;

/** What can't be seen on the screen, or changes how its neighbours are shown: it is written as its number. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** Whether a text holds something that nobody would see in it. */
export function hasUnseen(text: string): boolean {
  return text.search(UNSEEN) >= 0;
}

/** How a language writes what JSON knows. */
interface Dialect {
  none: string;
  yes: string;
  no: string;
  /** A character by its number. */
  escaped: (character: string) => string;
  /** What stands after the last of several lines, and before each. */
  last: string;
  step: string;
}

const unit = (character: string, at: number) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;

const JSON_DIALECT: Dialect = {
  none: "null",
  yes: "true",
  no: "false",
  escaped: (character) => Array.from({ length: character.length }, (_, at) => unit(character, at)).join(""),
  last: "",
  step: "  ",
};

const PYTHON_DIALECT: Dialect = {
  none: "None",
  yes: "True",
  no: "False",
  escaped: (character) =>
    character.length === 1 ? unit(character, 0) : `\\U${character.codePointAt(0)?.toString(16).padStart(8, "0")}`,
  last: ",",
  step: "    ",
};

/** A value as JSON, in lines; those that follow the first one begin with `indent`. */
export function json(value: unknown, indent = ""): string {
  return laidOut(value, JSON_DIALECT, indent, 0);
}

/** A value as a Python expression, in lines; `before` characters stand before it in its first one. */
export function python(value: unknown, indent = "", before = 0): string {
  return laidOut(value, PYTHON_DIALECT, indent, before);
}

/** Brackets, and what stands between them. Undefined for what has no parts; fields that aren't there are left out. */
function partsOf(value: unknown, dialect: Dialect): { open: string; close: string; parts: [string, unknown][] } | null {
  if (Array.isArray(value)) {
    return { open: "[", close: "]", parts: value.map((item: unknown) => ["", item]) };
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return { open: "{", close: "}", parts: fields.map(([name, field]) => [`${quoted(name, dialect)}: `, field]) };
  }
  return null;
}

function laidOut(value: unknown, dialect: Dialect, indent: string, before: number): string {
  const found = partsOf(value, dialect);
  const flat = oneLine(value, dialect);
  if (found === null || found.parts.length === 0 || indent.length + before + flat.length <= WIDTH) {
    return flat;
  }
  const inner = indent + dialect.step;
  const lines = found.parts.map(([name, part]) => inner + name + laidOut(part, dialect, inner, name.length));
  return `${found.open}\n${lines.join(",\n")}${dialect.last}\n${indent}${found.close}`;
}

function oneLine(value: unknown, dialect: Dialect): string {
  const found = partsOf(value, dialect);
  if (found !== null) {
    return found.open + found.parts.map(([name, part]) => name + oneLine(part, dialect)).join(", ") + found.close;
  }
  switch (typeof value) {
    case "string":
      return quoted(value, dialect);
    case "boolean":
      return value ? dialect.yes : dialect.no;
    case "number":
      return String(value);
    default:
      return dialect.none;
  }
}

/** JSON's escapes mean the same in Python. */
function quoted(text: string, dialect: Dialect): string {
  return JSON.stringify(text).replace(UNSEEN, dialect.escaped);
}

const PLAIN = /^[\w@%+:,./-][\w@%+=:,./-]*$/;

/** A text as one word of a POSIX shell. Only for what can be seen. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
