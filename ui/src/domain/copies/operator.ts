/** A rerun as a Dag with one task, which submits it and waits. */

import type { RerunBody } from "../../api/types";
import { python } from "./literals";
import { said } from "./said";

/** The id of the connection that an operator takes where none is named. */
export const CONNECTION = "rerun_downstream_default";

/** What Jinja would read as its own, or change: it ends every line in the same way, and drops the last line's end. */
const RENDERED = /\{[{%#]|\r|\n$/;

const ESCAPES: Record<string, string> = { "\\": "\\\\", "'": "\\'", "\r": "\\r", "\n": "\\n" };

/** A text that Airflow renders to the same text: most parameters of the operator are templates. */
function unrendered(text: string): string {
  return RENDERED.test(text) ? `{{ '${text.replace(/[\\'\r\n]/g, (sign) => ESCAPES[sign] ?? sign)}' }}` : text;
}

function untemplated(value: unknown): unknown {
  if (typeof value === "string") {
    return unrendered(value);
  }
  if (Array.isArray(value)) {
    return value.map(untemplated);
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, untemplated(part)]))
    : value;
}

/** What an operator isn't told: it makes a plan of its own when it runs, and submits. */
export function notForOperators(body: RerunBody): ("plan_token" | "propose")[] {
  const { plan_token: token, propose } = said(body);
  return [...(token === undefined ? [] : (["plan_token"] as const)), ...(propose ? (["propose"] as const) : [])];
}

export function operatorText(body: RerunBody): string {
  const { source, options, ...rest } = said({ ...body, plan_token: null, propose: false });
  const { dag_id, run_id } = source as RerunBody["source"];
  const parameters = { source_dag_id: dag_id, source_run_id: run_id, ...(options as object | undefined), ...rest };
  const indent = " ".repeat(8);
  const lines = Object.entries(parameters).map(
    ([name, value]) => `${indent}${name}=${python(untemplated(value), indent, name.length + 1)},`,
  );
  return [
    "from airflow.sdk import DAG",
    "from airflow_rerun_downstream.operators import RerunDownstreamOperator",
    "",
    'with DAG("rerun_downstream", schedule=None) as dag:',
    "    RerunDownstreamOperator(",
    `${indent}task_id="rerun",`,
    ...lines,
    "    )",
    "",
  ].join("\n");
}
