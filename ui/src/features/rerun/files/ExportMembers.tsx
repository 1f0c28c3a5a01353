import { useMemo } from "react";

import type { Member } from "../../../api/types";
import { ExportButtons } from "../../../ui/ExportButtons";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { useCause } from "../words";
import { fileName, memberColumns } from "./files";

/** Saves all runs of the rerun that the person may see, whatever is searched for at the moment. */
export function ExportMembers({ members }: { members: readonly Member[] }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const said = useCause();
  const columns = useMemo(() => memberColumns(said), [said]);
  const notes = rerun.hidden_members > 0 ? [t("record:notice.hidden", { count: rerun.hidden_members })] : [];
  return (
    <ExportButtons
      label={t("record:export.members", { count: members.length })}
      file={fileName(rerun, "members")}
      columns={columns}
      read={() => ({ items: members.map(withoutLive), notes })}
    />
  );
}

/** Without what the page knows only of the runs in sight. */
function withoutLive(member: Member): Member {
  const copy: Partial<Member> = { ...member };
  delete copy.live;
  delete copy.allowed_actions;
  return copy as Member;
}
