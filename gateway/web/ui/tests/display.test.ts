import { afterEach, expect, test, vi } from "vitest";
import { pair, shows, spoken, stop } from "../src/lib/display";
import { looks } from "../src/lib/live";
import type { Looks } from "../src/lib/types";

const hall: Looks = { name: "hall 1", theme: "tower", language: "en", lines: ["stamping/line-1", "stamping/line-2"] };
const streams: string[] = [];

class Source extends EventTarget {
  constructor(url: string) {
    super();
    streams.push(url);
  }
  close(): void {}
}

function answering(...answers: object[]): void {
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(answers.shift())));
}

afterEach(() => {
  stop();
  streams.length = 0;
  vi.unstubAllGlobals();
});

test("a display shows its lines, and all of them where none is chosen", () => {
  expect(shows(hall, { area: "stamping", line: "line-2" })).toBe(true);
  expect(shows(hall, { area: "stamping", line: "line-3" })).toBe(false);
  expect(shows(hall, { area: "welding", line: "line-1" })).toBe(false);
  expect(shows({ ...hall, lines: [] }, { area: "welding", line: "line-1" })).toBe(true);
  expect(shows(null, { area: "welding", line: "line-1" })).toBe(true);
});

test("a code is read out in two groups", () => expect(spoken("004518")).toBe("004 518"));

test("a television waits with its code, looks once it is paired, and waits again when it is revoked", async () => {
  const code = { code: "204518", expires_in_s: 600, display: null };
  answering(code, { code: null, expires_in_s: null, display: hall }, { code: null, expires_in_s: null, display: hall }, code);
  expect(await pair()).toEqual({ code: "204518", expires_in_s: 600 });
  expect(looks.value).toBe(null);
  expect(await pair()).toBe(null);
  expect(looks.value).toEqual(hall);
  expect(await pair()).toBe(null); // asked again while it looks: the stream is not begun anew
  expect(streams).toEqual(["/api/v1/display/stream?topics=tiles,faults"]);
  expect(await pair()).not.toBe(null);
  expect(looks.value).toBe(null);
});
