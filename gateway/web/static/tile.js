// One equipment as a tile. Everything from outside goes in as text, never as HTML.

import { duration, localized, number, unit } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

export function glyph(state) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#glyph-${state}`);
  svg.append(use);
  return svg;
}

// A place that shows how long ago ``since`` was; board.js keeps it running.
function age(since) {
  const node = element("span", "age");
  node.dataset.since = Date.parse(since);
  return node;
}

// ``page`` gives the texts, the language, the zone and the server's time.
export function tileOf(tile, page) {
  const article = element("article", `tile ${tile.state}`, name(tile, page), state(tile, page), why(tile, page));
  article.id = `eq-${tile.equipment}`;
  if (tile.counters.length) article.append(figures(tile, page));
  if (tile.faults.length) article.append(element("ul", "faults", ...tile.faults.map((fault) => faultOf(fault, page))));
  article.append(foot(tile, page));
  tick(article, page.nowMs());
  return article;
}

export function tick(root, nowMs) {
  for (const node of root.querySelectorAll(".age")) {
    node.textContent = duration((nowMs - Number(node.dataset.since)) / 1000);
  }
}

function name(tile, { lang, t }) {
  const stage = tile.stage === "commissioning" ? element("span", "stage", t("commissioning")) : null;
  const title = localized(tile.name, lang, tile.equipment);
  const code = title === tile.equipment ? null : element("span", "", tile.equipment);
  return element("div", "name", element("h3", "", title), code, stage);
}

function state(tile, { t }) {
  return element("div", "state", glyph(tile.state), t(`state.${tile.state}`), tile.since ? age(tile.since) : null);
}

function why(tile, page) {
  const { lang, t } = page;
  const reason = tile.reason;
  const said = reason ? localized(reason.text, lang, t(`category.${reason.category}`)) : "";
  const mode = tile.mode === "auto" || tile.mode === "unknown" ? "" : t(`mode.${tile.mode}`);
  const since = tile.since ? t("since", { time: page.moment(tile.since) }) : t("noData");
  return element("div", "why small", element("span", "", [said, mode].filter(Boolean).join(" · ")), element("span", "", since));
}

function figures(tile, { t }) {
  const rows = tile.counters.map((row) => {
    const shown = unit(row.unit);
    const label = row.kind ? t(`kind.${row.kind}`) : row.counter;
    return element("div", "", element("dt", "", label), element("dd", "", number(row.total), shown ? element("small", "", ` ${shown}`) : null));
  });
  return element("dl", "figures", ...rows);
}

function faultOf(fault, { lang, t }) {
  const text = localized(fault.text, lang, fault.code);
  const row = element(
    "li", fault.acked ? "acked" : "",
    element("span", `badge p${fault.priority}`, `P${fault.priority}`),
    element("span", "", text === fault.code ? text : `${fault.code} ${text}`),
    age(fault.raised_at),
  );
  const marks = [fault.acked ? t("acked") : "", fault.quality === "good" ? "" : t("uncertain")].filter(Boolean);
  const remedy = localized(fault.remedy, lang);
  if (remedy) marks.push(`${t("remedy")}: ${remedy}`);
  if (marks.length) row.append(element("span", "more small", marks.join(" · ")));
  return row;
}

function foot(tile, page) {
  const { t } = page;
  const node = element("div", "foot small");
  if (tile.order) {
    const { order_no, product, planned_qty } = tile.order;
    const planned = planned_qty === null ? "" : t("planned", { n: number(planned_qty) });
    node.append(element("span", "", `${t("order")} ${[order_no, product, planned].filter(Boolean).join(" · ")}`));
  }
  for (const link of tile.links.filter((item) => item.state !== "online")) node.append(linkOf(link, page));
  const online = tile.links.filter((item) => item.state === "online").map((item) => item.link);
  if (online.length) node.append(element("span", "", `${t("link")} ${online.join(", ")}: ${t("link.online")}`));
  return node;
}

function linkOf(link, page) {
  const { t } = page;
  const parts = [`${t("link")} ${link.link}: ${t(`link.${link.state}`)}`];
  if (link.last_ok) parts.push(t("lastOk", { time: page.moment(link.last_ok) }));
  if (link.error) parts.push([link.error.text, link.error.hint].filter(Boolean).join(" – "));
  const trouble = link.state === "offline" || link.state === "degraded";
  return element("span", trouble ? "trouble" : "", parts.join(" · "));
}
