import { ChakraProvider } from "@chakra-ui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect } from "react";
import { RouterProvider } from "react-router";

import { host, usePreferences } from "../host/Host";
import { applyTheme } from "../host/theme";
import { speak } from "../i18n";
import { EmotionCache } from "../ui/theme/EmotionCache";
import { system } from "../ui/theme/system";
import { makeQueryClient } from "./queryClient";
import type { makeRouter } from "./routes";

const queryClient = makeQueryClient();

/** Everything, in the language and the colours that the user has chosen in Airflow. */
export function App({ router }: { router: ReturnType<typeof makeRouter> }) {
  const { dark, language } = usePreferences();
  useEffect(() => applyTheme(document, dark, host().styles()), [dark]);
  useEffect(() => speak(document, language), [language]);
  return (
    <EmotionCache>
      <ChakraProvider value={system}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </ChakraProvider>
    </EmotionCache>
  );
}
