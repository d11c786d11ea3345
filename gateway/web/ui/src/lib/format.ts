// Numbers, durations and texts for people. Pure.

import type { Lang, Text } from "./types";

export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${two(Math.floor((s % 3600) / 60))}`;
  return `${Math.floor(s / 86400)}d${Math.floor((s % 86400) / 3600)}h`;
}

// Grouped by thin spaces from 10 000 on, at most three decimals.
export function number(value: number): string {
  const text = String(Math.round(value * 1000) / 1000);
  const [whole = "", part] = text.split(".");
  const grouped = Math.abs(value) < 10000 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, "\u2009");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

// "+12", "-3", "0"
export const signed = (value: number): string => `${value > 0 ? "+" : ""}${number(value)}`;

export function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)}%`;
}

// A unit as people write it; the data carries UCUM codes, "1" for plain pieces.
const UNITS: Record<string, string> = { "1": "", "W.h": "Wh", "kW.h": "kWh", Cel: "\u00b0C", m3: "m\u00b3" };
export const unit = (code: string): string => UNITS[code] ?? code;

// A text of the factory in the language asked for, else in any it has.
export function localized(text: Text | null | undefined, lang: Lang, otherwise = ""): string {
  return text?.[lang] || Object.values(text ?? {}).find(Boolean) || otherwise;
}

interface Parts {
  date: string;
  time: string;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function parts(ms: number, zone: string): Parts {
  let format = FORMATS.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    });
    FORMATS.set(zone, format);
  }
  const found = Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]));
  return {
    date: `${found["year"]}-${found["month"]}-${found["day"]}`,
    time: `${found["hour"]}:${found["minute"]}:${found["second"]}`,
  };
}

// UTC milliseconds -> "YYYY-MM-DD HH:mm:ss" in the site's zone.
export function clock(ms: number, zone: string): string {
  const { date, time } = parts(ms, zone);
  return `${date} ${time}`;
}

// The same, without the date if that is today's.
export function moment(ms: number, nowMs: number, zone: string): string {
  const then = parts(ms, zone);
  return then.date === parts(nowMs, zone).date ? then.time : `${then.date} ${then.time}`;
}

export const dayOf = (ms: number, zone: string): string => parts(ms, zone).date;
export const timeOf = (ms: number, zone: string): string => parts(ms, zone).time;

// "YYYY-MM-DDTHH:mm" of the site's wall clock -> UTC ms. In a doubled hour the first one is meant.
export function wallToMs(wall: string, zone: string): number {
  const asUtc = Date.parse(`${wall}Z`);
  let ms = asUtc;
  for (let round = 0; round < 2; round += 1) {
    const shown = Date.parse(`${clock(ms, zone).replace(" ", "T")}Z`);
    ms += asUtc - shown;
  }
  return ms;
}

export const msToWall = (ms: number, zone: string): string => clock(ms, zone).slice(0, 16).replace(" ", "T");
