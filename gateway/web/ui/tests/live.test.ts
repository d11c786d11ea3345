import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as live from "../src/lib/live";

class Source extends EventTarget {
  static readonly CLOSED = 2;
  static opened: Source[] = [];
  readyState = 1;
  constructor() {
    super();
    Source.opened.push(this);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
  says(event: string) {
    const head = { now: "2026-03-20T01:00:00.000Z", rev: 1, collector: null };
    this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(head) }));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a connection that says nothing for ten seconds is made anew", () => {
  live.start();
  live.connect();
  for (let s = 0; s < 30; s += 2) {
    Source.opened[0]!.says("beat");
    vi.advanceTimersByTime(2000);
  }
  expect(Source.opened.length).toBe(1);
  vi.advanceTimersByTime(8500);
  expect(Source.opened.map((one) => one.readyState)).toEqual([Source.CLOSED, 1]);
  vi.advanceTimersByTime(10_500);
  expect(Source.opened.map((one) => one.readyState)).toEqual([Source.CLOSED, Source.CLOSED, 1]);
  live.disconnect();
  vi.advanceTimersByTime(60_000);
  expect(Source.opened.length).toBe(3);
});
