import { describe, expect, it } from "vitest";

import { keyOf } from "../../../domain/runName";
import { difference, planBody, rerunBody } from "./bodies";
import { type Change, newDraft, reduce } from "./draft";
import { matching } from "./filter";
import { link, plan, run, running, SOURCE, toCome } from "../../../testing/plans";
import { flowEdges, folded } from "./flow";
import { indexed, isTaken, refusalOf, selection, shownKeys, takeable } from "./plan";
import { rowsOf } from "./rows";

const key = (dag_id: string) => keyOf({ dag_id, run_id: "r1" });
const NEXT = { dag_id: "weekly", next: true };

/** orders → clean → report, orders → live; weekly is to come; legacy can't be told. */
const PLAN = plan(
  [
    run("clean"),
    run("report"),
    running("live"),
    run("manual", { selected: false }),
    run("held", { selectable: false, selected: false, reason: "in_active_rerun", freeze_reason: "in_active_rerun" }),
    toCome("weekly", { next: true, logical_date: null, run_after: null }),
  ],
  [
    link("orders", "clean"),
    link("clean", "report"),
    link("clean", "report", "sensor", "assumed"),
    link("orders", "live", "sensor", "assumed"),
    link("orders", { dag_id: "legacy" }, "sensor", "unresolved"),
  ],
);
const INDEX = indexed(PLAN);
const after = (...changes: Change[]) => changes.reduce(reduce, newDraft(SOURCE));
const FREEZE: Change = { type: "set", patch: { freezeMode: true } };

describe("Dags behind one that can't be told", () => {
  it("are kept under it, and are no runs of their own", () => {
    const behind = { downstream: { dag_id: "legacy" } };
    const links = ["after", "last"].map((dag_id) => ({
      ...link("orders", { dag_id }, "sensor", "unresolved"),
      via: { behind },
    }));
    const index = indexed({ ...PLAN, links: [...PLAN.links, ...links] });
    expect(index.behind).toEqual(new Map([[keyOf({ dag_id: "legacy" }), ["after", "last"]]]));
    expect([index.unknown, index.edges]).toEqual([INDEX.unknown, INDEX.edges]);
    expect(flowEdges(index, () => "")).toHaveLength(flowEdges(INDEX, () => "").length);
  });
});

describe("a selection", () => {
  it("is by default what the plan selects", () => {
    expect(selection(INDEX, after())).toEqual({ rerun: [key("clean"), key("report")], stop: [], hold: [] });
  });

  it("takes in freeze mode what would read wrong data", () => {
    expect(selection(INDEX, after(FREEZE))).toMatchObject({ stop: [key("live")], hold: [keyOf(NEXT)] });
    expect(selection(INDEX, after(FREEZE, { type: "take", keys: [keyOf(NEXT)], taken: false })).hold).toEqual([]);
  });

  it("takes no regular run by itself, but if somebody wants it", () => {
    const index = indexed(plan([toCome("regular", { ...NEXT, freeze_selected: false, wrong_data: null })], []));
    expect(selection(index, after(FREEZE)).hold).toEqual([]);
    expect(selection(index, after(FREEZE, { type: "take", keys: index.keys, taken: true })).hold).toEqual(index.keys);
  });

  it("can't have what the server refuses, whatever was said before", () => {
    const draft = after({ type: "take", keys: [key("held"), key("live"), key("manual")], taken: true });
    expect(selection(INDEX, draft).rerun).toEqual([key("clean"), key("report"), key("manual")]);
    expect(takeable(INDEX, [key("held"), INDEX.source, key("clean")], false)).toEqual([key("clean")]);
  });

  it("comes with the reason why not", () => {
    const reason = (dag: string, freezeMode: boolean) => refusalOf(INDEX.runs.get(key(dag)) ?? run(dag), freezeMode);
    expect(reason("live", false)).toBe("run_is_running");
    expect(reason("live", true)).toBeNull();
    expect(reason("held", true)).toBe("in_active_rerun");
    expect(isTaken(running("live"), after())).toBe(false);
  });

  it("shows runs to come that nothing leads to in freeze mode only", () => {
    expect(shownKeys(INDEX, false)).not.toContain(keyOf(NEXT));
    expect(shownKeys(INDEX, true)).toContain(keyOf(NEXT));
  });
});

const PROPOSED = "orders 2026-01-05 and 2 runs downstream";

describe("the order to the server", () => {
  it("has the proposed name until there is another one", () => {
    const typed = (name: string | null) => rerunBody(after({ type: "set", patch: { name } }), INDEX, PROPOSED)?.name;
    expect([null, " Right rate ", ""].map(typed)).toEqual([PROPOSED, "Right rate", null]);
  });

  it("lists the members, with tasks only where somebody named them", () => {
    const draft = after(
      { type: "take", keys: [key("report")], taken: false },
      { type: "memberTasks", key: key("clean"), tasks: ["check"] },
      { type: "set", patch: { name: "  ", reason: " wrong rate " } },
    );
    expect(rerunBody(draft, INDEX, PROPOSED)).toMatchObject({
      source: SOURCE,
      task_ids: null,
      members: [{ dag_id: "clean", run_id: "r1", task_ids: ["check"] }],
      freeze_mode: false,
      frozen: null,
      plan_token: "token",
      name: null,
      reason: "wrong rate",
      settings: { max_active_members: null, on_failure: "continue_other_branches" },
    });
  });

  it("names what is frozen, and stops as members", () => {
    const body = rerunBody(after(FREEZE), INDEX, PROPOSED);
    expect(body?.members?.map(({ dag_id }) => dag_id)).toEqual(["clean", "report", "live"]);
    expect(body?.frozen).toEqual([NEXT]);
  });

  it("leaves out targets without a condition", () => {
    const on: Change = { type: "notify", target: "mail", condition: "succeeded", wanted: true };
    const body = rerunBody(after(on, { ...on, target: "chat" }, { ...on, wanted: false }), INDEX, PROPOSED);
    expect(body?.notifications).toEqual([{ target: "chat", on: ["succeeded"] }]);
  });

  it("isn't there while no task of the source is chosen", () => {
    expect(planBody(after({ type: "set", patch: { tasks: [] } }))).toBeUndefined();
    expect(rerunBody(after({ type: "set", patch: { tasks: [] } }), INDEX, PROPOSED)).toBeUndefined();
  });
});

describe("a new plan", () => {
  it("tells what it did to the selection", () => {
    const now = indexed(plan([running("clean"), run("report"), run("fresh")], PLAN.links));
    const { dropped, added } = difference(INDEX, now, after());
    expect(dropped.map(({ dag_id }) => dag_id)).toEqual(["clean"]);
    expect(added.map(({ dag_id }) => dag_id)).toEqual(["fresh"]);
  });
});

describe("the flow", () => {
  it("draws one line for all links of two runs, dashed where nothing is known for sure", () => {
    const edges = flowEdges(INDEX, (kind, evidence) => `${kind} ${evidence}`);
    const to = (dag: string) => edges.find((edge) => edge.to.startsWith(`${dag}\u0000`));
    expect(to("report")).toMatchObject({ label: "asset recorded, sensor assumed", unsure: false });
    expect(to("live")?.unsure).toBe(true);
    expect(to("legacy")?.unsure).toBe(true);
    expect([...INDEX.unknown.values()]).toEqual(["legacy"]);
  });

  it("folds away what is reached through a run alone", () => {
    const nodes = [INDEX.source, ...INDEX.keys];
    const { nodes: left, folds } = folded(INDEX, nodes, new Set([key("clean")]));
    expect(left).not.toContain(key("report"));
    expect(left).toContain(key("live"));
    expect(folds).toEqual(new Map([[key("clean"), 1]]));
  });
});

describe("the list", () => {
  const rows = (filters: Partial<Parameters<typeof rowsOf>[2]>) =>
    rowsOf(INDEX, INDEX.keys, { search: "", status: "", grouping: "none", ...filters });

  it("has a row for each run, with its level", () => {
    expect(rows({}).map(({ dagId, level }) => [dagId, level])).toContainEqual(["report", 2]);
  });

  it("is filtered by words and by status", () => {
    expect(matching(INDEX, INDEX.keys, "CLEAN r1")).toEqual([key("clean")]);
    expect(matching(INDEX, INDEX.keys, "  ")).toEqual([]);
    expect(rows({ status: "running" }).map(({ dagId }) => dagId)).toEqual(["live"]);
    expect(rows({ search: "nothing" })).toEqual([]);
  });

  it("is grouped by Dag, or by level in their order", () => {
    expect(rows({ grouping: "dag" })).toHaveLength(6);
    expect(rows({ grouping: "level" }).map(({ group }) => group)).toEqual(["0", "1", "2"]);
  });

  it("of five thousand runs is there at once", () => {
    const many = Array.from({ length: 5000 }, (_, at) => run(`dag_${at % 50}`, { run_id: `r${at}` }));
    const index = indexed(
      plan(
        many,
        many.map((each) => link("orders", { dag_id: each.dag_id, run_id: each.run_id ?? "" })),
      ),
    );
    const start = performance.now();
    rowsOf(index, index.keys, { search: "dag", status: "", grouping: "level" });
    selection(index, after());
    expect(performance.now() - start).toBeLessThan(500);
  });
});
