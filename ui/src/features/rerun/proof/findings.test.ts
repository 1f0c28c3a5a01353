import { describe, expect, it } from "vitest";

import type { Proof, ProofFinding } from "../../../api/types";
import { findingOf, memberOf, proofOf, spotOf } from "../../../testing/samples";
import {
  acceptedBy,
  endsOf,
  type Found,
  foundIn,
  leftOut,
  matches,
  membersByRun,
  sameCounts,
  sentenceOf,
  timesOf,
} from "./findings";

const READ = "2026-01-05T09:10:00.250Z";
const WRITTEN = "2026-01-05T09:12:00Z";
const wrong = findingOf({ read_at: READ, written_at: WRITTEN });
const older = { ...spotOf("report"), because_of: spotOf("orders", "load"), accepted_by: "ann" };
const said = (finding: Partial<ProofFinding>) => sentenceOf(listed({ findings: [findingOf(finding)] }));

function listed(proof: Partial<Proof>): Found {
  const [first] = foundIn({ findings: [], older: [], ...proof });
  return first ?? expect.fail("nothing is listed");
}

it("lists the findings as they come, then what holds older data", () => {
  const found = foundIn({
    findings: [wrong, findingOf({ outcome: "not_provable", reason: "no_record" })],
    older: [older],
  });
  expect(found.map(({ kind }) => kind)).toEqual(["violation", "not_provable", "older"]);
  expect(found.map((each) => endsOf(each).writer?.dag_id)).toEqual(["orders", "orders", "orders"]);
});

describe("a sentence", () => {
  it("is that of the reason", () => expect(said({ reason: "read_too_early" })).toBe("said.read_too_early"));
  it("is another where a run stands alone", () => {
    expect(said({ reason: "clocks_differ" })).toBe("said.clocks_differ");
    expect(said({ reason: "clocks_differ", writer: null })).toBe("alone.clocks_differ");
    expect(said({ reason: "no_record", writer: null })).toBe("alone.no_record");
    expect(said({ reason: "not_made_anew", writer: null })).toBe("said.not_made_anew");
  });
  it("is about older data", () => expect(sentenceOf(listed({ older: [older] }))).toBe("said.older"));
});

describe("the times", () => {
  it("are those of a read and a write between runs", () => {
    expect(timesOf(listed({ findings: [wrong] }))).toEqual([
      { what: "read", at: READ },
      { what: "written", at: WRITTEN },
    ]);
  });
  it("are those of two tasks inside a run", () => {
    const within = { ...wrong, reader: spotOf("orders", "check") };
    expect(timesOf(listed({ findings: [within] })).map(({ what }) => what)).toEqual(["began", "ended"]);
  });
  it("are left out where nobody knows them", () => {
    expect(timesOf(listed({ findings: [findingOf({ read_at: null, written_at: null })] }))).toEqual([]);
    expect(timesOf(listed({ older: [older] }))).toEqual([]);
  });
});

it("is searched by Dag, run and task of both ends, and by its kind", () => {
  const found = listed({ findings: [wrong] });
  const all = { kind: "" as const, search: "" };
  expect(matches(found, all)).toBe(true);
  expect(matches(found, { ...all, search: " REPORT" })).toBe(true);
  expect(matches(found, { ...all, search: "load" })).toBe(true);
  expect(matches(found, { ...all, search: "other" })).toBe(false);
  expect(matches(found, { ...all, kind: "violation" })).toBe(true);
  expect(matches(found, { ...all, kind: "older" })).toBe(false);
});

it("counts what the server hasn't listed, without what is hidden", () => {
  const counts = { violations: 1, not_provable: 40, accepted: 2, older: 3 };
  expect(leftOut(proofOf({ counts, findings: [wrong], older: [older], hidden_findings: 4, hidden_older: 1 }))).toBe(39);
  expect(leftOut(proofOf({ counts: { violations: 1 }, findings: [wrong] }))).toBe(0);
});

it("knows who accepted it", () => {
  expect(acceptedBy(listed({ older: [older] }))).toBe("ann");
  expect(acceptedBy(listed({ findings: [wrong] }))).toBeNull();
});

it("tells two looks apart by any count", () => {
  const { counts } = proofOf({ counts: { proven: 3 } });
  expect(sameCounts(counts, { ...counts })).toBe(true);
  expect(sameCounts(counts, { ...counts, older: 1 })).toBe(false);
});

it("finds the member of a run", () => {
  expect(membersByRun([memberOf(4, "report")]).get("report\u0000r1")).toBe(4);
});
