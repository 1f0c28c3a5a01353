import { chakra, Flex, HStack } from "@chakra-ui/react";
import { MdCheck, MdChevronRight } from "react-icons/md";
import { Link as RouterLink } from "react-router";

import { useWords } from "../../i18n/words";
import { useWizard } from "./state/context";
import { type Step, STEPS } from "./state/draft";
import { useDraft } from "./state/store";

/** Where one is on the way, with links to the steps that were reached. */
export function StepBar() {
  const { t } = useWords();
  const { store, step } = useWizard();
  const reached = useDraft(store, (draft) => STEPS.indexOf(draft.reached));
  const here = STEPS.indexOf(step);
  return (
    <nav aria-label={t("wizard:steps")}>
      <Flex as="ol" listStyleType="none" gap={1} align="center" wrap="wrap">
        {STEPS.map((each, index) => (
          <HStack as="li" key={each} gap={1}>
            {index > 0 && <MdChevronRight aria-hidden="true" />}
            <StepName step={each} number={index + 1} done={index < here} reached={index <= Math.max(reached, here)} />
          </HStack>
        ))}
      </Flex>
    </nav>
  );
}

interface StepNameProps {
  step: Step;
  number: number;
  done: boolean;
  reached: boolean;
}

function StepName({ step, number, done, reached }: StepNameProps) {
  const { t } = useWords();
  const { step: here, hrefOf } = useWizard();
  const current = step === here;
  const name = (
    <>
      <Disc aria-hidden="true" data-on={current || done ? "" : undefined}>
        {done ? <MdCheck /> : number}
      </Disc>
      {t(`wizard:step.${step}`)}
    </>
  );
  const look = { color: current ? "fg" : "fg.muted", fontWeight: current ? "semibold" : "medium" };
  return reached ? (
    <Name asChild {...look} _hover={{ color: "fg" }}>
      <RouterLink to={hrefOf(step)} aria-current={current ? "step" : undefined}>
        {name}
      </RouterLink>
    </Name>
  ) : (
    <Name {...look}>{name}</Name>
  );
}

const Name = chakra("span", {
  base: { display: "inline-flex", alignItems: "center", gap: 2, px: 1, py: 1, whiteSpace: "nowrap" },
});

const Disc = chakra("span", {
  base: {
    display: "inline-grid",
    placeItems: "center",
    width: 6,
    height: 6,
    borderRadius: "full",
    borderWidth: "1px",
    fontSize: "xs",
    "&[data-on]": { bg: "brand.solid", borderColor: "brand.solid", color: "brand.contrast" },
  },
});
