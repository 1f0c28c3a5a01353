/** Calls of the REST API. A refusal is thrown as a `Problem`; whoever isn't logged in is led to the login. */

import createClient from "openapi-fetch";

import { host } from "../host/Host";
import { apiRoot } from "../host/paths";
import { asProblem, Problem, problemOf } from "./problem";
import type { paths } from "./schema";

type Client = ReturnType<typeof createClient<paths>>;

let client: Client | undefined;

/** The API of the Airflow that the host belongs to. `fetch` is looked up at each call, so that tests can stand in for it. */
export function api(): Client {
  return (client ??= createClient<paths>({ baseUrl: apiRoot(host()), fetch: (request) => fetch(request) }));
}

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The data of an answer. Throws `Problem`. */
export async function data<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw asProblem(error) ?? new Problem(0, "no_answer", "");
  }
  if (answer.response.ok) {
    return answer.data as Data;
  }
  if (answer.response.status === 401) {
    host().login();
  }
  throw problemOf(answer.response.status, answer.error);
}

/**
 * As many pages of a collection as there are, one after the other: a page that asks for all at once takes the server away
 * from everybody else. The server says how long one may be.
 */
export async function everything<Item>(
  page: (offset: number) => Promise<{ items: Item[]; total: number }>,
): Promise<Item[]> {
  const found: Item[] = [];
  for (;;) {
    const { items, total } = await page(found.length);
    found.push(...items);
    if (items.length === 0 || found.length >= total) {
      return found;
    }
  }
}
