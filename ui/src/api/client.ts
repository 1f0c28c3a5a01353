/** Calls of the REST API. A refusal is thrown as a `Problem`; whoever isn't logged in is led to the login. */

import createClient from "openapi-fetch";

import { login } from "../airflow/navigation";
import { apiRoot } from "../airflow/parent";
import { asProblem, Problem, problemOf } from "./problem";
import type { paths } from "./schema";

// `fetch` is looked up at each call, so that tests can put another one in its place.
export const api = createClient<paths>({ baseUrl: apiRoot, fetch: (request) => fetch(request) });

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
    login();
  }
  throw problemOf(answer.response.status, answer.error);
}

/** As many pages of a collection as there are, in their order; the server says how long one may be. */
export async function everything<Item>(
  page: (offset: number) => Promise<{ items: Item[]; total: number }>,
): Promise<Item[]> {
  const first = await page(0);
  const size = first.items.length;
  if (size === 0 || size >= first.total) {
    return first.items;
  }
  const offsets = Array.from({ length: Math.ceil(first.total / size) - 1 }, (_, index) => (index + 1) * size);
  const rest = await Promise.all(offsets.map(page));
  return [first.items, ...rest.map((each) => each.items)].flat();
}
