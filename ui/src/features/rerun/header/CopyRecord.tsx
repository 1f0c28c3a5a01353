import { List, Stack, Text } from "@chakra-ui/react";

import type { Member } from "../../../api/types";
import { recordedBody } from "../../../domain/copies/recorded";
import { useWords } from "../../../i18n/words";
import { CopyAs } from "../../../ui/CopyAs";
import { useRecord } from "../context";

/** The same rerun once more, for elsewhere; `members` undefined: they are on their way. */
export function CopyRecord({ members }: { members: readonly Member[] | undefined }) {
  const { rerun } = useRecord();
  return (
    <CopyAs disabled={members === undefined} body={() => members && recordedBody(rerun, members).body}>
      <Differences members={members ?? []} />
    </CopyAs>
  );
}

const COUNTED = ["hidden", "unnamed", "replaced", "without"] as const;

/** What of the record isn't in the copies, or is another there. */
function Differences({ members }: { members: readonly Member[] }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const found = recordedBody(rerun, members);
  const differing = COUNTED.filter((name) => found[name] > 0);
  return (
    <Stack gap={1}>
      <Text color="fg.muted">{t("record:copy.what")}</Text>
      {differing.length > 0 && (
        <List.Root ps={4} color="fg.warning" data-testid="copy-differences">
          {differing.map((name) => (
            <List.Item key={name}>{t(`record:copy.${name}`, { count: found[name] })}</List.Item>
          ))}
        </List.Root>
      )}
    </Stack>
  );
}
