/** Calls of the REST API. A refusal is thrown as a `Problem`; whoever isn't logged in is led to the login. */

import createClient from "openapi-fetch";

import { login } from "../host/navigation";
import { apiRoot } from "../host/parent";
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
