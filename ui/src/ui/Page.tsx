import { Box, Flex, Heading, HStack, Link } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { MdOpenInFull } from "react-icons/md";
import { NavLink, useLocation } from "react-router";

import { host } from "../host/Host";
import { menuPath } from "../host/paths";
import { useWords } from "../i18n/words";
import { AirflowLink } from "./AirflowLink";
import { CopyLink } from "./CopyLink";
import { SMALL } from "./room";
import { useTitle } from "./useTitle";

interface PageProps {
  /** What the browser's tab says; the title, where that is text. */
  name?: string;
  title: ReactNode;
  /** What stands at the top right. */
  actions?: ReactNode;
  children: ReactNode;
  /** The page fills the window and scrolls inside; in a small window it scrolls as a whole. */
  fill?: boolean;
  /** On Airflow's tabs the title says what the tab's name says: it is there for screen readers only. */
  titledByTab?: boolean;
}

/** The frame of every page: where one is, and where one can go. On Airflow's tabs it is one line. */
export function Page({ name, title, actions, children, fill = false, titledByTab = false }: PageProps) {
  const { t } = useWords();
  useTitle(name ?? (typeof title === "string" ? title : t("title")));
  const onTab = host().onTab();
  const quiet = onTab && titledByTab;
  return (
    <Flex
      direction="column"
      height={fill ? "100vh" : undefined}
      minHeight="100vh"
      bg="bg"
      css={{ [SMALL]: { height: "auto" } }}
    >
      {!onTab && <Pages />}
      <Flex
        as="main"
        direction="column"
        flex="1"
        minHeight={0}
        minWidth={0}
        px={4}
        pt={onTab ? 2 : 4}
        pb={onTab ? 2 : 4}
        gap={onTab ? 2 : 4}
      >
        <Flex justify="space-between" align="center" columnGap={4} rowGap={1} flexWrap="wrap" data-testid="page-head">
          <Heading as="h1" size={onTab ? "md" : "lg"} minWidth={0} overflowWrap="anywhere" srOnly={quiet}>
            {title}
          </Heading>
          <HStack flexWrap="wrap" flexGrow={quiet ? 1 : undefined}>
            {actions}
            <HStack ms="auto" gap={1} flexWrap="wrap">
              {onTab && <FullWidth />}
              <CopyLink />
            </HStack>
          </HStack>
        </Flex>
        <Box flex="1" minHeight={0} display={fill ? "flex" : "block"} flexDirection="column">
          {children}
        </Box>
      </Flex>
    </Flex>
  );
}

function Pages() {
  const { t } = useWords();
  return (
    <HStack as="header" gap={6} px={4} py={2} borderBottomWidth="1px" flexWrap="wrap">
      <HStack as="nav" aria-label={t("nav.label")} gap={5}>
        <Tab to="/dag-runs">{t("nav.runs")}</Tab>
        <Tab to="/records">{t("nav.records")}</Tab>
      </HStack>
    </HStack>
  );
}

function Tab({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Link asChild py={1} fontWeight="medium" _currentPage={{ borderBottomWidth: "2px", borderColor: "brand.solid" }}>
      <NavLink to={to}>{children}</NavLink>
    </Link>
  );
}

/** Leads from a tab to the same page with all of Airflow's width. */
function FullWidth() {
  const { t } = useWords();
  const place = useLocation();
  return (
    <AirflowLink path={menuPath(host(), place)} display="inline-flex" whiteSpace="nowrap" fontSize="xs">
      <MdOpenInFull aria-hidden="true" />
      {t("nav.fullWidth")}
    </AirflowLink>
  );
}
