/** Calls of the REST API. A refusal is thrown as a `Problem`; whoever isn't logged in is led to the login. */

import createClient from "openapi-fetch";

import { host } from "../host/Host";
import { apiRoot } from "../host/paths";
import { isLoggedIn, logIn } from "./login";
import { Problem, problemOf } from "./problem";
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
    throw notAnswered(error);
  }
  const { response } = answer;
  if (response.ok) {
    isLoggedIn(response);
    return answer.data as Data;
  }
  if (response.status === 401) {
    logIn(response);
  }
  throw problemOf(response.status, answer.error, response.headers);
}

/** Why a call came to nothing: it was ended by the page, or what came is no JSON, or nothing came. */
function notAnswered(error: unknown): unknown {
  if (error instanceof DOMException && error.name === "AbortError") {
    return error;
  }
  return new Problem(0, error instanceof SyntaxError ? "unreadable" : "no_answer", "");
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
