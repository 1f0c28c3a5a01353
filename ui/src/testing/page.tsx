/** Shows a page as the application does, with answers in the server's place. */

import { ChakraProvider } from "@chakra-ui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { vi } from "vitest";

import { system } from "../ui/theme/system";

/** An answer: a body, or a body with its status; or a promise of one. */
type Answer = unknown;

export class Refusal {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {}
}

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  /** What was sent, parsed. */
  body?: unknown;
}

/**
 * `answer` stands in for the server: it is told the path below `/api/v1`, and answers a body, a `Refusal`, or undefined
 * for 404. What was asked is remembered.
 */
export function showPage(address: string, route: string, page: ReactNode, answer: (asked: Asked) => Answer) {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^.*\/api\/v1/, "");
    const text = await request.clone().text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const question = { method: request.method, path, query: url.searchParams, body };
    asked.push(question);
    const found = (await answer(question)) ?? new Refusal(404, { detail: "There is nothing.", reason: "not_found" });
    const [status, told] = found instanceof Refusal ? [found.status, found.body] : [200, found];
    return Response.json(told, { status });
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  const router = createMemoryRouter(
    [
      { path: route, element: page },
      { path: "*", element: null },
    ],
    { initialEntries: [address] },
  );
  const shown = render(
    <ChakraProvider value={system}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ChakraProvider>,
  );
  return { ...shown, asked, router };
}
