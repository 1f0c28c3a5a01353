import { Button } from "@chakra-ui/react";
import { MdRestartAlt } from "react-icons/md";
import { Link } from "react-router";

import { hasEnded } from "../../../api/reruns";
import { query } from "../../../host/parameters";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";

/** The way to a new rerun like this one, where this one has come to its end, or stands still after a failure. */
export function RerunAgain() {
  const { t } = useWords();
  const { rerun } = useRecord();
  if (!hasEnded(rerun) && rerun.state !== "failed") {
    return null;
  }
  return (
    <Button asChild size="sm" variant="outline">
      <Link to={`/rerun?${query({ ...rerun.source, again: rerun.id })}`}>
        <MdRestartAlt aria-hidden="true" />
        {t("record:action.again")}
      </Link>
    </Button>
  );
}
