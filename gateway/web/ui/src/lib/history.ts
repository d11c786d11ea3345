// What one machine did in a span: its states, its counts, its readings. Pure.

import type { Span } from "./range";
import type { Reason, State, Text } from "./types";

export interface Note {
  at: string;
  by: string;
  comment: string | null;
  reason: Reason | null;
}

export interface Interval {
  id: string;
  state: State;
  since: string;
  until: string | null;
  duration_ms: number;
  reason: Reason | null;
  mode: string;
  order_no: string | null;
  quality: string;
  cause: string;
  note: Note | null;
  part_of: string | null; // the id of the whole, where people split it
}

// A part that begins within its interval; its id is "<id>@<moment>".
export const isLaterPart = ({ id, part_of }: Pick<Interval, "id" | "part_of">): boolean => part_of !== null && id !== part_of;

// What a note is about that splits an interval, or a part of it, at a moment.
export const partAbout = ({ id, part_of }: Pick<Interval, "id" | "part_of">, ms: number): string => `${part_of ?? id}@${new Date(ms).toISOString()}`;

export interface SplitRange {
  fromMs: number;
  toMs: number;
  leastMs: number;
  mostMs: number;
  middleMs: number;
  stepMs: number;
}

// Where an interval can be split: by the second, a long one by the minute; null where it is too short for that.
export function splitRange({ since, until, duration_ms }: Pick<Interval, "since" | "until" | "duration_ms">): SplitRange | null {
  const fromMs = Date.parse(since);
  const toMs = until === null ? fromMs + duration_ms : Date.parse(until);
  const stepMs = toMs - fromMs > 2 * 3_600_000 ? 60_000 : 1000;
  const steps = Math.ceil((toMs - fromMs) / stepMs) - 1; // strictly before the end
  if (steps < 1) return null;
  const at = (step: number) => fromMs + step * stepMs;
  return { fromMs, toMs, leastMs: at(1), mostMs: at(steps), middleMs: at(Math.max(1, Math.round(steps / 2))), stepMs };
}

export interface Timeline {
  from: string;
  to: string;
  now: string;
  kept_from: string | null;
  intervals: Interval[];
}

export interface Bucket {
  from: string;
  to: string;
  label: string;
  values: Record<string, { kind: string; quantity: number; unit: string }>;
  anomalies: number;
  target?: number | null;
}

export interface Readings {
  tag: string;
  name: Text;
  unit: string;
  limits?: { low: number | null; high: number | null } | null;
  points: [number, number | null, number | null, number | null][]; // t ms, min, max, last; nulls are a gap
}

// One block of the band: an interval cut to the span, or several short ones that no screen could show.
export interface Block {
  fromMs: number;
  toMs: number;
  state: State | "many";
  interval: Interval | null;
  count: number;
}

export function clipped(intervals: readonly Interval[], span: Span, nowMs: number): Block[] {
  return intervals.flatMap((interval) => {
    const fromMs = Math.max(Date.parse(interval.since), span.fromMs);
    const toMs = Math.min(interval.until === null ? nowMs : Date.parse(interval.until), span.toMs);
    return toMs > fromMs ? [{ fromMs, toMs, state: interval.state, interval, count: 1 }] : [];
  });
}

const RUN = 4; // so many short ones in a row become one

export function merged(blocks: readonly Block[], shortMs: number): Block[] {
  const out: Block[] = [];
  let run: Block[] = [];
  const flush = () => {
    const [first, last] = [run[0], run.at(-1)];
    if (run.length >= RUN && first && last) out.push({ fromMs: first.fromMs, toMs: last.toMs, state: "many", interval: null, count: run.length });
    else out.push(...run);
    run = [];
  };
  for (const block of blocks) {
    if (block.toMs - block.fromMs < shortMs) run.push(block);
    else {
      flush();
      out.push(block);
    }
  }
  flush();
  return out;
}

export interface Share {
  state: State;
  ms: number;
  times: number;
  share: number;
}

// Time in each state: the table that says the same as the band.
export function shares(blocks: readonly Block[]): Share[] {
  const found = new Map<State, Share>();
  const all = blocks.reduce((sum, block) => sum + block.toMs - block.fromMs, 0);
  for (const block of blocks) {
    if (block.state === "many") continue;
    const share = found.get(block.state) ?? { state: block.state, ms: 0, times: 0, share: 0 };
    share.ms += block.toMs - block.fromMs;
    if (!block.interval || !isLaterPart(block.interval)) share.times += 1;
    found.set(block.state, share);
  }
  for (const share of found.values()) share.share = all > 0 ? share.ms / all : 0;
  return [...found.values()].sort((a, b) => b.ms - a.ms);
}

export interface Made {
  fromMs: number;
  toMs: number;
  label: string;
  good: number;
  reject: number;
  target: number | null;
  anomalies: number;
}

// Good and reject of each bucket; where only a total is counted, that.
export function made(buckets: readonly Bucket[]): Made[] {
  return buckets.map((bucket) => {
    const of = (kinds: readonly string[]) =>
      Object.values(bucket.values).filter((value) => kinds.includes(value.kind)).reduce((sum, value) => sum + value.quantity, 0);
    const hasGood = Object.values(bucket.values).some((value) => value.kind === "good");
    const reject = of(["reject", "rework"]);
    return {
      fromMs: Date.parse(bucket.from), toMs: Date.parse(bucket.to), label: bucket.label, reject,
      good: hasGood ? of(["good"]) : Math.max(0, of(["total", "cycle"]) - reject), target: bucket.target ?? null, anomalies: bucket.anomalies,
    };
  });
}
