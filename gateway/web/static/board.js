// The page: filters, lines of tiles, the language, and one clock that lets all ages run.

import { clock, moment } from "./format.js";
import { Stream } from "./stream.js";
import { element, glyph, tick, tileOf } from "./tile.js";

const STATES = ["fault", "setup", "maintenance", "idle", "stopped", "offline", "running"];
const byId = (id) => document.getElementById(id);
const texts = await (await fetch("/static/texts.json")).json();
let lang = document.documentElement.lang;
let filter = new URLSearchParams(location.search).get("state") ?? "all";

function t(key, values = {}) {
  const text = texts[key]?.[lang] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const stream = new Stream("/api/v1/stream", { onChange: draw, onFreshness });
const zone = () => stream.site?.timezone ?? "UTC";
const page = {
  t,
  get lang() { return lang; },
  nowMs: () => stream.nowMs(),
  moment: (stamp) => moment(Date.parse(stamp), stream.nowMs(), zone()),
};

const FILTERS = {
  all: () => true,
  withFaults: (tile) => tile.faults.length > 0,
  ...Object.fromEntries(STATES.map((state) => [state, (tile) => tile.state === state])),
};

// Redraw the tiles named; all of them if a tile came or went or may have changed its place.
function draw(ids) {
  const inPlace = ids?.every((id) => byId(`eq-${id}`)) && filter === "all";
  if (inPlace) for (const id of ids) byId(`eq-${id}`).replaceWith(tileOf(stream.tiles.get(id), page));
  else drawLines();
  drawFilters();
  drawHead();
}

function drawLines() {
  const shown = [...stream.tiles.values()].filter(FILTERS[filter] ?? FILTERS.all);
  const lines = new Map();
  for (const tile of shown) {
    const title = [tile.area, tile.line].filter((part) => part && part !== "_").join(" / ");
    lines.set(title, [...(lines.get(title) ?? []), tile]);
  }
  const sections = [...lines].map(([title, tiles]) =>
    element("section", "", title ? element("h2", "", title) : null,
      element("div", "tiles", ...tiles.map((tile) => tileOf(tile, page)))));
  const notice = stream.tiles.size ? "noMatch" : stream.site ? "empty" : "connecting";
  byId("lines").replaceChildren(...(sections.length ? sections : [element("p", "notice", t(notice))]));
}

function drawFilters() {
  const focused = document.activeElement?.dataset?.filter;
  const tiles = [...stream.tiles.values()];
  const buttons = ["all", "withFaults", ...STATES].map((key) => {
    const count = tiles.filter(FILTERS[key]).length;
    const isState = STATES.includes(key);
    const button = element("button", isState ? key : "", isState ? glyph(key) : null,
      element("b", "", String(count)), t(isState ? `state.${key}` : key));
    button.type = "button";
    button.dataset.filter = key;
    button.classList.toggle("zero", count === 0);
    button.classList.toggle("trouble", count > 0 && (key === "fault" || key === "withFaults"));
    button.setAttribute("aria-pressed", String(key === filter));
    return button;
  });
  byId("filters").replaceChildren(...buttons);
  if (focused) byId("filters").querySelector(`[data-filter="${focused}"]`)?.focus();
}

function drawHead() {
  const { site, collector, stale } = stream;
  byId("site").textContent = site ? `${t("title")} · ${site.site}` : t("title");
  document.title = byId("site").textContent;
  byId("language").textContent = t("switch");
  byId("clock").title = t("clock", { zone: zone() });
  const problem = problemText(stale, collector);
  byId("banner").hidden = !problem;
  byId("banner").textContent = problem;
  document.body.classList.toggle("stale", stale);
}

function problemText(stale, collector) {
  if (stale) return t("stale", { time: clock(stream.nowMs(), zone()) });
  if (!collector || collector.alive) return "";
  return collector.at ? t("silent", { time: page.moment(collector.at) }) : t("silentNever");
}

function onFreshness() {
  drawHead();
  run();
}

function redraw() {
  drawLines();
  drawFilters();
  drawHead();
}

byId("filters").addEventListener("click", (event) => {
  const chosen = event.target.closest("button")?.dataset.filter;
  if (!chosen) return;
  filter = chosen === filter ? "all" : chosen;
  history.replaceState(null, "", filter === "all" ? location.pathname : `?state=${filter}`);
  redraw();
});

byId("language").addEventListener("click", () => {
  lang = lang === "zh" ? "en" : "zh";
  document.documentElement.lang = lang;
  document.cookie = `lang=${lang}; Path=/; Max-Age=31536000; SameSite=Lax`;
  redraw();
});

function run() {
  if (stream.anchor === null) return;
  byId("clock").textContent = clock(stream.nowMs(), zone());
  tick(document, stream.nowMs());
}

setInterval(run, 1000);
redraw();
