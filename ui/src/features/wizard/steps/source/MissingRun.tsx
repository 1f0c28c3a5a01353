import { Link } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router";

import { Nothing } from "../../../../ui/feedback/Notices";
import { Page } from "../../../../ui/Page";
import { useWords } from "../../../../i18n/words";

/** The address names no run. */
export function MissingRun() {
  const { t } = useWords();
  return (
    <Page title={t("wizard:title")}>
      <Nothing title={t("wizard:missing.title")}>
        {t("wizard:missing.detail")}{" "}
        <Link asChild color="fg.info">
          <RouterLink to="/dag-runs">{t("wizard:missing.link")}</RouterLink>
        </Link>
      </Nothing>
    </Page>
  );
}
