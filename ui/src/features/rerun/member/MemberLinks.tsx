import { chakra, Flex, Heading, Stack, Text } from "@chakra-ui/react";

import type { Link, Member } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { memberIdOf, memberKey, structureOf } from "../graph/structure";
import { MemberStanding } from "./look";
import { useNames } from "../../../ui/names";

interface MemberLinksProps {
  heading: string;
  side: "upstream" | "downstream";
  member: Member;
  members: readonly Member[];
  links: readonly Link[];
}

/** The runs from which a member reads, or those that read from it, with how that is known. */
export function MemberLinks({ heading, side, member, members, links }: MemberLinksProps) {
  const { t, word, list } = useWords();
  const { runName } = useNames();
  const { edges, others } = structureOf(members, links, false);
  const here = memberKey(member.id);
  const mine = edges.filter(({ from, to }) => (side === "upstream" ? to : from) === here);
  if (mine.length === 0) {
    return null;
  }
  return (
    <section>
      <Heading as="h3" size="sm" mb={2}>
        {heading}
      </Heading>
      <Stack as="ul" gap={2} listStyleType="none">
        {mine.map(({ from, to, kinds, evidence }) => {
          const key = side === "upstream" ? from : to;
          const other = others[key];
          const found = members.find(({ id }) => id === memberIdOf(key));
          return (
            <li key={key}>
              {found && <Found member={found} />}
              {other && `${other.dag_id} ${runName(other)} (${t("record:graph.notPart")})`}
              <Text color="fg.muted" fontSize="xs">
                {list(kinds.map((kind) => word("linkKind", kind)))}
                {" · "}
                {list(evidence.map((each) => word("evidence", each)))}
                {": "}
                {evidence.map((each) => word("evidenceMeaning", each)).join(" ")}
              </Text>
            </li>
          );
        })}
      </Stack>
    </section>
  );
}

function Found({ member }: { member: Member }) {
  const { open } = useRecord();
  const { memberName } = useNames();
  return (
    <Flex gap={2} align="center" wrap="wrap">
      <chakra.button
        type="button"
        color="fg.info"
        textAlign="left"
        cursor="pointer"
        overflowWrap="anywhere"
        onClick={() => open(member.id)}
      >
        {member.dag_display_name} {memberName(member)}
      </chakra.button>
      <MemberStanding member={member} />
    </Flex>
  );
}
