import { Alert, List } from "@chakra-ui/react";

import { useHealth } from "../../api/installation";
import { Said } from "../Said";
import { useWords } from "../../i18n/words";

/** What is missing in the installation, with what to do; nothing where all is well. */
export function HealthNotice() {
  const { t, word } = useWords();
  const health = useHealth().data;
  if (health === undefined || health.status === "healthy") {
    return null;
  }
  const ill = Object.entries(health.components).filter(([, component]) => component.status !== "healthy");
  return (
    <Alert.Root status={health.status === "unhealthy" ? "error" : "warning"}>
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{t("health.title")}</Alert.Title>
        <Alert.Description>
          <List.Root ps={4}>
            {ill.map(([name, component]) => (
              <List.Item key={name}>
                {t("health.component", { name: word("component", name) })} <Said {...component} />
              </List.Item>
            ))}
          </List.Root>
        </Alert.Description>
      </Alert.Content>
    </Alert.Root>
  );
}
