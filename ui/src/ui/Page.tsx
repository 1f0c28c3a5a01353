import { Box, Flex, Heading, HStack, Link } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { NavLink } from "react-router";

import { useWords } from "../i18n/words";

interface PageProps {
  title: ReactNode;
  /** What stands at the top right. */
  actions?: ReactNode;
  children: ReactNode;
  /** The page fills the window and scrolls inside. */
  fill?: boolean;
}

/** The frame of every page: where one is, and where one can go. */
export function Page({ title, actions, children, fill = false }: PageProps) {
  const { t } = useWords();
  return (
    <Flex direction="column" height={fill ? "100vh" : undefined} minHeight="100vh" bg="bg">
      <HStack as="header" gap={6} px={4} py={2} borderBottomWidth="1px" flexWrap="wrap">
        <HStack as="nav" aria-label={t("nav.label")} gap={5}>
          <Tab to="/dag-runs">{t("nav.runs")}</Tab>
          <Tab to="/records">{t("nav.records")}</Tab>
        </HStack>
      </HStack>
      <Flex as="main" direction="column" flex="1" minHeight={0} px={4} py={4} gap={4}>
        <Flex justify="space-between" align="center" gap={4} flexWrap="wrap">
          <Heading as="h1" size="lg">
            {title}
          </Heading>
          <HStack flexWrap="wrap">{actions}</HStack>
        </Flex>
        <Box flex="1" minHeight={0} display={fill ? "flex" : "block"} flexDirection="column">
          {children}
        </Box>
      </Flex>
    </Flex>
  );
}

function Tab({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Link asChild py={1} fontWeight="medium" _currentPage={{ borderBottomWidth: "2px", borderColor: "brand.solid" }}>
      <NavLink to={to}>{children}</NavLink>
    </Link>
  );
}
