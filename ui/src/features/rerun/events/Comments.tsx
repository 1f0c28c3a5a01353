import { Box, Button, Field, Flex, Stack, Text, Textarea } from "@chakra-ui/react";
import { type SyntheticEvent, useState } from "react";
import { MdOutlineComment } from "react-icons/md";

import { useComment } from "../../../api/teamwork";
import type { RerunEvent } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { ProblemNotice } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useRecord } from "../context";

/** As many characters as the server takes. */
const LONGEST = 2000;

/** What people have written into the record, and a field for more where the person may act on the rerun. */
export function Comments({ events }: { events: readonly RerunEvent[] }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const comments = events.filter(({ action }) => action === "commented");
  if (comments.length === 0 && !rerun.may_comment) {
    return null;
  }
  return (
    <Stack as="section" gap={2} flexShrink={0} aria-label={t("record:comment.label")} data-testid="comments">
      {comments.length > 0 && (
        <Box maxHeight="14rem" overflow="auto" tabIndex={0} role="region" aria-label={t("record:comment.label")}>
          <Stack as="ul" gap={2} listStyleType="none">
            {comments.map((comment) => (
              <Box as="li" key={comment.id} borderLeftWidth="3px" ps={3}>
                <Text color="fg.muted" fontSize="xs">
                  {comment.actor} · <Time value={comment.at} />
                </Text>
                <Text whiteSpace="pre-wrap" overflowWrap="anywhere">
                  {comment.detail}
                </Text>
              </Box>
            ))}
          </Stack>
        </Box>
      )}
      {rerun.may_comment && <NewComment />}
    </Stack>
  );
}

function NewComment() {
  const { t } = useWords();
  const { rerun } = useRecord();
  const [text, setText] = useState("");
  const comment = useComment(rerun.id);
  const add = (event: SyntheticEvent) => {
    event.preventDefault();
    comment.mutate(text.trim(), { onSuccess: () => setText("") });
  };
  return (
    <form onSubmit={add}>
      <Flex gap={2} align="flex-end" wrap="wrap">
        <Field.Root flex="1 1 20rem" gap={1}>
          <Field.Label fontSize="xs" color="fg.muted">
            {t("record:comment.text")}
          </Field.Label>
          <Textarea
            size="sm"
            rows={2}
            maxLength={LONGEST}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field.Root>
        <Button
          type="submit"
          size="sm"
          variant="outline"
          colorPalette="brand"
          disabled={text.trim() === ""}
          loading={comment.isPending}
        >
          <MdOutlineComment aria-hidden="true" />
          {t("record:comment.add")}
        </Button>
      </Flex>
      <ProblemNotice ordered error={comment.error} />
    </form>
  );
}
