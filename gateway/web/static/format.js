// Numbers, durations and texts for people. Pure.

export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${two(Math.floor((s % 3600) / 60))}`;
  return `${Math.floor(s / 86400)}d${Math.floor((s % 86400) / 3600)}h`;
}

export function number(value) {
  const text = String(Math.round(value * 1000) / 1000);
  const [whole, part] = text.split(".");
  const grouped = Math.abs(value) < 10000 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, "\u2009");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

// A unit as people write it; the data carries UCUM codes, "1" for plain pieces.
const UNITS = { "1": "", "W.h": "Wh", "kW.h": "kWh", "Cel": "\u00b0C", "m3": "m\u00b3" };
export const unit = (code) => UNITS[code] ?? code;

// A text of the factory in the language asked for, else in any it has.
export function localized(text, lang, otherwise = "") {
  return text?.[lang] || Object.values(text ?? {}).find(Boolean) || otherwise;
}

// UTC milliseconds -> "YYYY-MM-DD HH:mm:ss" in the site's zone.
export function clock(ms, zone) {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  }).formatToParts(ms);
  const get = (type) => parts.find((part) => part.type === type).value;
  return `${get("year")}-${get("month")}-${get("day")} ${get("hour")}:${get("minute")}:${get("second")}`;
}

// The same, without the date if that is today's.
export function moment(ms, nowMs, zone) {
  const [then, now] = [clock(ms, zone), clock(nowMs, zone)];
  return then.slice(0, 10) === now.slice(0, 10) ? then.slice(11) : then;
}
