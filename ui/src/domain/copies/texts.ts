/**
 * The same rerun for a terminal, a script, a notebook and a Dag.
 *
 * No login is ever in a text: each takes the token from the environment variable that the command line reads, too; an
 * operator has a connection for that.
 */

import type { RerunBody } from "../../api/types";
import { submitArguments } from "./commandLine";
import { json, python, shellWord } from "./literals";
import { operatorText } from "./operator";
import { said } from "./said";

export const FORMS = ["curl", "commandLine", "python", "operator"] as const;
export type Form = (typeof FORMS)[number];

export const TOKEN = "AIRFLOW_RERUN_DOWNSTREAM_TOKEN";

/** Arguments longer than that go in a file: systems limit them, and nobody reads so many. */
const LONGEST = 20_000;

/** `address` is Airflow's, with its sub-path and without a slash at its end. */
export function copied(form: Form, body: RerunBody, address: string): string {
  return TEXTS[form](body, address);
}

const TEXTS: Record<Form, (body: RerunBody, address: string) => string> = {
  curl: curlText,
  commandLine: commandText,
  python: pythonText,
  operator: operatorText,
};

const broken = (lines: readonly string[]) => lines.join(" \\\n  ");

/** In a quoted here-document a shell changes nothing. No line of JSON is its last one. */
const fed = (command: string, body: RerunBody) => `${command} <<'JSON'\n${json(said(body))}\nJSON\n`;

function curlText(body: RerunBody, address: string): string {
  const url = `${address}/rerun-downstream/api/v1/reruns`;
  const command = broken([
    `curl --fail-with-body -X POST ${shellWord(url)}`,
    `-H "Authorization: Bearer $${TOKEN}"`,
    "-H 'Content-Type: application/json'",
    "-d @-",
  ]);
  return fed(command, body);
}

function commandText(body: RerunBody, address: string): string {
  const command = `airflow-rerun-downstream ${body.propose ? "propose" : "submit"} --url ${shellWord(address)}`;
  const groups = submitArguments(body)?.map((words) => words.map(argument).join(" "));
  const text = groups && `${broken([command, ...groups])}\n`;
  return text !== undefined && text.length <= LONGEST ? text : fed(`${command} --file -`, body);
}

/** An option that has its value with it is quoted behind its sign. */
function argument(word: string): string {
  const [, option, value] = /^(--[a-z-]+=)(.*)$/s.exec(word) ?? [];
  return option !== undefined && value !== undefined ? option + shellWord(value) : shellWord(word);
}

function pythonText(body: RerunBody, address: string): string {
  const call = "    rerun = client.submit(";
  return [
    "import os",
    "",
    "from airflow_rerun_downstream.client import RerunDownstreamClient",
    "",
    `address, token = ${python(address)}, os.environ["${TOKEN}"]`,
    "with RerunDownstreamClient(address, token=token) as client:",
    `${call}${python(said(body), "    ", call.length)})`,
    "print(rerun.id, rerun.state.value)",
    "",
  ].join("\n");
}
