import { Link, type LinkProps } from "@chakra-ui/react";
import type { MouseEvent } from "react";

import { host } from "../host/Host";
import { dagRunPath } from "../host/paths";

interface AirflowLinkProps extends LinkProps {
  /** Relative to Airflow's root. */
  path: string;
}

/** A link to one of Airflow's own pages; inside Airflow it is Airflow that navigates. */
export function AirflowLink({ path, children, ...rest }: AirflowLinkProps) {
  const follow = (event: MouseEvent) => {
    const newTab = event.metaKey || event.ctrlKey || event.button === 1;
    if (host().embedded || newTab) {
      event.preventDefault();
      host().openAirflow(path, newTab);
    }
  };
  return (
    <Link href={host().airflowRoot + path} onClick={follow} color="fg.info" display="inline" {...rest}>
      {children}
    </Link>
  );
}

/** A Dag run's id, as a link to its page in Airflow. */
export function RunLink({ dagId, runId, ...rest }: { dagId: string; runId: string } & LinkProps) {
  return (
    <AirflowLink path={dagRunPath(dagId, runId)} overflowWrap="anywhere" {...rest}>
      {runId}
    </AirflowLink>
  );
}
