import { EmotionCache } from "../ui/theme/EmotionCache";
import { ChakraProvider } from "@chakra-ui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect } from "react";
import { RouterProvider } from "react-router";

import { usePreferences } from "../host/preferences";
import { makeQueryClient } from "./queryClient";
import { catalogueOf, i18next } from "../i18n";
import { router } from "./routes";
import { applyTheme } from "../host/theme";
import { system } from "../ui/theme/system";

const queryClient = makeQueryClient();

/** Everything, in the language and the colours that the person has chosen in Airflow. */
export function App() {
  const { dark, language } = usePreferences();
  useEffect(() => applyTheme(dark), [dark]);
  useEffect(() => {
    document.documentElement.lang = catalogueOf(language);
    void i18next.changeLanguage(catalogueOf(language));
  }, [language]);
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
