/** The contract's objects under short names. They are generated from the server's own description of them. */

import type { components, operations } from "./schema";

type Schemas = components["schemas"];

export type Advice = Schemas["Advice"];
export type Changes = Schemas["Changes"];
export type Cause = Schemas["Cause"];
export type CauseWord = Schemas["CauseWord"];
export type Condition = Schemas["Condition"];
export type Counts = Schemas["Counts"];
export type DagRun = Schemas["Run"];
export type DagEdge = Schemas["DagEdge"];
export type Delivery = Schemas["Delivery"];
export type DeliveryState = Schemas["DeliveryState"];
export type EventAction = Schemas["EventAction"];
export type Estimate = Schemas["Estimate"];
export type Evidence = Schemas["Evidence"];
export type FutureRef = Schemas["FutureRef"];
export type Health = Schemas["Health"];
export type Link = Schemas["Link"];
export type LinkKind = Schemas["LinkKind"];
export type Live = Schemas["Live"];
export type Member = Schemas["Member"];
export type MemberAction = Schemas["MemberAction"];
export type MemberActionBody = Schemas["MemberActionBody"];
export type MemberState = Schemas["MemberState"];
export type NotMadeAnew = Schemas["NotMadeAnew"];
export type NotificationTarget = Schemas["NotificationTarget"];
export type OnFailure = Schemas["OnFailure"];
export type Plan = Schemas["Plan"];
export type PlanBody = Schemas["PlanBody"];
export type PlanRun = Schemas["RunWithTasks"];
export type PlanWarning = Schemas["PlanWarning"];
export type ProposalRefusal = Schemas["ProposalRefusal"];
export type ProposalReview = Schemas["ProposalReview"];
export type Proof = Schemas["Proof"];
export type ProofCounts = Schemas["ProofCounts"];
export type ProofFinding = Schemas["ProofFinding"];
export type ProofOlder = Schemas["ProofOlder"];
export type ProofOutcome = Schemas["Outcome"];
export type ProofReason = Schemas["ProofReason"];
export type ProofSpot = Schemas["ProofSpot"];
export type ProofVerdict = Schemas["ProofVerdict"];
export type Reason = Schemas["Reason"];
export type Rerun = Schemas["Rerun"];
export type RerunAction = Schemas["RerunAction"];
export type RerunActionBody = Schemas["RerunActionBody"];
export type RerunBody = Schemas["RerunBody"];
export type RerunEvent = Schemas["Event"];
export type RerunSettings = Schemas["Settings"];
export type RerunState = Schemas["RerunState"];
export type Review = Schemas["Review"];
export type Role = Schemas["Role"];
export type RunRef = Schemas["RunRef"];
export type RunStatus = Schemas["RunStatus"];
export type RunType = Schemas["RunType"];
export type Sentence = Schemas["Sentence"];
export type TaskInstance = Schemas["TaskInstance"];
export type TaskInstances = Schemas["TaskInstances"];
export type TaskRef = string | Schemas["MappedTaskRef"];

export type WarningCode = Schemas["WarningCode"];

export type DagRunFilters = NonNullable<operations["list_dag_runs"]["parameters"]["query"]>;
export type RerunFilters = NonNullable<operations["list_reruns"]["parameters"]["query"]>;
