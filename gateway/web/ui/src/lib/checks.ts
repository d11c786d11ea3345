// What the server says of each check, by its code, in the language of the page. Pure but for the words.

import { clock, number } from "./format";
import { t, word } from "./i18n";
import type { Collector } from "./types";

export interface Check {
  name: string;
  ok: boolean | null;
  code: string;
  values: Record<string, string | number>;
  detail: string;
  since: string | null;
}

const GIB = 1024 ** 3;
const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;

// "+3 600.0 s", "-250 ms"
function signed(ms: number): string {
  const sign = ms < 0 ? "-" : "+";
  return Math.abs(ms) < 1000 ? `${sign}${Math.abs(ms)} ms` : `${sign}${number(Math.round(Math.abs(ms) / 100) / 10)} s`;
}

function shown(name: string, value: string | number, zone: string): string | number {
  if (name === "from" || name === "to") return clock(Date.parse(String(value)), zone);
  if (typeof value === "string") return value;
  if (name.endsWith("_bytes")) return gib(value);
  return name.endsWith("_ms") ? signed(value) : number(value);
}

// A code newer than this page is said in the server's own words.
export function spoken(check: Check, zone: string): string {
  if (check.code === "links") return Object.entries(check.values).map(([state, n]) => `${word("link", state)} ${n}`).join(" · ");
  const values = Object.fromEntries(Object.entries(check.values).map(([name, value]) => [name, shown(name, value, zone)]));
  const parts = [word("health", check.code, check.detail)];
  if (check.name === "clock" && Number(check.values["steps"]) > 0) parts.push(t("clock.steps"));
  return parts.map((text) => text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))).join(" · ");
}

// What to do about one that is bad.
export const advice = (check: Check): string => (check.ok === false ? word("todo", check.code, "") : "");

// Why the journal cannot be read; what the system said stands behind it.
export const trouble = (collector: Collector): string =>
  word("health", collector.problem_code, t("health.unreadable")).replace("{error}", collector.problem ?? "");
