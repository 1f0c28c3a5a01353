/** A server that says what has changed, as the real one does, with things that happen by chance. */

import type { Changes, Member, RerunEvent } from "../api/types";
import { eventOf, memberOf, rerunOf } from "./samples";

/** Numbers from 0 to 1, the same ones for the same seed. */
export function chances(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) | 0;
    const mixed = state ^ (state + Math.imul(state ^ (state >>> 7), state | 61));
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PAGE = 100;
const STATES = ["pending", "running", "succeeded", "failed", "terminated"] as const;

export class FakeServer {
  members: Member[];
  events: RerunEvent[] = [];
  rerun = rerunOf();
  revision = 0;
  /** Stands for who may read what. */
  sight = 0;
  /** Members that were told. */
  told = 0;
  /** Seconds between two looks. */
  pause = 2;
  /** Whether things happen between two answers. */
  disturbing = false;
  private written = new Map<number, number>();

  constructor(
    readonly chance: () => number,
    count: number,
  ) {
    this.members = Array.from({ length: count }, (_, place) =>
      memberOf(place + 1, `dag${place % 7}`, { depth: place % 5, run_id: `r${place}` }),
    );
  }

  write(id: number, changed: Partial<Member>) {
    this.revision += 1;
    this.members = this.members.map((member) => (member.id === id ? { ...member, ...changed } : member));
    this.written.set(id, this.revision);
  }

  /** Something happens: to a member, to the rerun, to the record, or to what the person may read. */
  change() {
    const what = this.chance();
    const id = 1 + Math.floor(this.chance() * this.members.length);
    if (what < 0.6) {
      this.write(id, { state: STATES[Math.floor(this.chance() * STATES.length)] ?? "pending" });
    } else if (what < 0.7) {
      const hour = Math.floor(this.chance() * 10);
      this.write(id, { run_id: `made${this.chance()}`, run_after: `2026-01-06T0${hour}:00:00Z` });
    } else if (what < 0.8) {
      this.revision += 1;
      this.rerun = { ...this.rerun, name: `name ${this.chance()}` };
    } else if (what < 0.95) {
      this.revision += 1;
      this.events = [...this.events, eventOf("2026-01-06T00:00:00Z", "pause", { id: this.events.length + 1 })];
    } else {
      this.sight += 1;
    }
  }

  readable(): Member[] {
    return this.sight % 2 === 0 ? this.members : this.members.filter(({ dag_id }) => dag_id !== "dag3");
  }

  ask = async (cursor: string | undefined): Promise<Changes> => {
    await Promise.resolve();
    const known = (cursor ?? "").split(".").map(Number);
    const whole = known.length !== 5 || known[4] !== this.sight;
    const [since = -1, until = -1, last = 0, line = 0] = whole ? [-1, -1, 0, 0] : known;
    const begins = since === until;
    if (begins && until === this.revision) {
      return {
        cursor: cursor ?? "",
        whole: false,
        more: false,
        rerun: null,
        members: [],
        events: [],
        look_again_after: this.pause,
      };
    }
    const end = begins ? this.revision : until;
    const found = this.readable()
      .filter(({ id }) => id > (begins ? 0 : last) && (this.written.get(id) ?? 0) > since)
      .slice(0, PAGE);
    const lines = this.events.filter(({ id }) => id > line).slice(0, PAGE);
    const more = found.length === PAGE || lines.length === PAGE;
    const next = [more ? since : end, end, found.at(-1)?.id ?? last, lines.at(-1)?.id ?? line, this.sight];
    this.told += found.length;
    const rerun = begins ? this.rerun : null;
    if (this.disturbing && this.chance() < 0.5) {
      this.change();
    }
    return { cursor: next.join("."), whole, more, rerun, members: found, events: lines, look_again_after: this.pause };
  };
}
