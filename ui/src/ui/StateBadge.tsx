import { Badge, type BadgeProps } from "@chakra-ui/react";
import type { IconType } from "react-icons";
import {
  MdAcUnit,
  MdBlock,
  MdCheckCircle,
  MdError,
  MdHourglassEmpty,
  MdOutlineMoreHoriz,
  MdPauseCircle,
  MdPlayCircle,
  MdRedo,
  MdReportProblem,
  MdSchedule,
  MdStopCircle,
} from "react-icons/md";

import type { MemberState, RerunState, RunStatus } from "../api/types";
import { useWords } from "../i18n/words";

interface Look {
  palette: string;
  icon: IconType;
}

const SUCCESS: Look = { palette: "success", icon: MdCheckCircle };
const FAILED: Look = { palette: "failed", icon: MdError };
const RUNNING: Look = { palette: "running", icon: MdPlayCircle };
const STOPPED: Look = { palette: "upstream_failed", icon: MdStopCircle };
const NOT_ALL: Look = { palette: "warning", icon: MdReportProblem };
const OTHER: Look = { palette: "none", icon: MdOutlineMoreHoriz };

const STATUS: Record<RunStatus, Look> = {
  success: SUCCESS,
  failed: FAILED,
  terminated: STOPPED,
  running: RUNNING,
  ready: { palette: "queued", icon: MdHourglassEmpty },
  not_ready: { palette: "scheduled", icon: MdSchedule },
  revoked: { palette: "removed", icon: MdBlock },
};

const MEMBER: Record<MemberState, Look> = {
  pending: { palette: "queued", icon: MdHourglassEmpty },
  running: RUNNING,
  succeeded: SUCCESS,
  failed: FAILED,
  skipped: { palette: "skipped", icon: MdRedo },
  terminated: STOPPED,
  stopping: { palette: "restarting", icon: MdStopCircle },
  frozen: { palette: "info", icon: MdAcUnit },
  released: { palette: "deferred", icon: MdPlayCircle },
};

const RERUN: Record<RerunState, Look> = {
  proposed: { palette: "scheduled", icon: MdHourglassEmpty },
  running: RUNNING,
  paused: { palette: "deferred", icon: MdPauseCircle },
  failed: FAILED,
  terminating: { palette: "restarting", icon: MdStopCircle },
  succeeded: SUCCESS,
  terminated: STOPPED,
};

const AIRFLOW: Record<string, IconType> = {
  success: MdCheckCircle,
  failed: MdError,
  running: MdPlayCircle,
  queued: MdHourglassEmpty,
  scheduled: MdSchedule,
  skipped: MdRedo,
  upstream_failed: MdStopCircle,
  gone: MdBlock,
};

/** How a member is shown: by its state, or by what tells it from others in the same state. */
export type MemberLook = MemberState | LookAlike;

/**
 * `queued`: it was dispatched, and Airflow hasn't begun it. `partly`: it has succeeded, but didn't make everything anew.
 * `unchecked`: it has succeeded, and isn't known to have made everything anew.
 */
export type LookAlike = "queued" | "partly" | "unchecked";

const LOOK: Record<MemberLook, Look> = {
  ...MEMBER,
  queued: { palette: "scheduled", icon: MdSchedule },
  partly: NOT_ALL,
  unchecked: { palette: "none", icon: MdHourglassEmpty },
};

export function memberColor(look: MemberLook): string {
  return LOOK[look].palette;
}

export function statusColor(status: RunStatus): string {
  return STATUS[status].palette;
}

type Props = BadgeProps & { label?: string };

/** Of these the solid colour is too light for white text; a shade darker it can be read by everybody. */
const DARKER: Partial<Record<string, string>> = {
  running: "cyan.700",
  warning: "amber.700",
  upstream_failed: "amber.700",
  up_for_reschedule: "sky.700",
  up_for_retry: "yellow.700",
};

function StateBadge({ look, text, label, variant = "solid", ...rest }: Props & { look: Look; text: string }) {
  const Icon = look.icon;
  return (
    <Badge
      colorPalette={look.palette}
      variant={variant}
      bg={variant === "solid" ? DARKER[look.palette] : undefined}
      borderRadius="full"
      px={2}
      py={0.5}
      whiteSpace="nowrap"
      aria-label={label}
      {...rest}
    >
      <Icon aria-hidden="true" />
      {text}
    </Badge>
  );
}

/** One of the six words for a run, or "revoked" for a task. */
export function StatusBadge({ status, ...rest }: Props & { status: RunStatus }) {
  const { word } = useWords();
  return <StateBadge look={STATUS[status]} text={word("status", status)} {...rest} />;
}

export function MemberBadge({ look, ...rest }: Props & { look: MemberLook }) {
  const { lookWord } = useWords();
  return <StateBadge look={LOOK[look]} text={lookWord(look)} {...rest} />;
}

/** `left`: how much the rerun has left as it was. One that has succeeded all the same looks different from others. */
export function RerunBadge({ state, left = 0, ...rest }: Props & { state: RerunState; left?: number }) {
  const text = useRerunState()({ state, not_made_anew: left });
  return <StateBadge look={state === "succeeded" && left > 0 ? NOT_ALL : RERUN[state]} text={text} {...rest} />;
}

/** A rerun's state in words: of one that has succeeded, with how much it has left as it was. */
export function useRerunState() {
  const { t, word } = useWords();
  return ({ state, not_made_anew: left }: { state: RerunState; not_made_anew: number }) =>
    state === "succeeded" && left > 0 ? t("record:left.badge", { count: left }) : word("rerunState", state);
}

/** A state of Airflow's own, of a run or of a task. */
export function AirflowStateBadge({ state, ...rest }: Props & { state: string | null }) {
  const { word } = useWords();
  const name = state ?? "none";
  const look = { ...OTHER, palette: name === "gone" ? "removed" : name, icon: AIRFLOW[name] ?? OTHER.icon };
  return <StateBadge look={look} text={word("airflowState", name)} {...rest} />;
}
