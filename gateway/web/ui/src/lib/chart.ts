// The chart of one machine: band of states, counts and trends above one another on one axis. Pure.

import type { Block, Made, Readings } from "./history";
import type { Span } from "./range";
import type { State } from "./types";

export interface Look {
  ink: string;
  ink2: string;
  line: string;
  bar: string;
  font: string;
  states: Record<State | "many", string>;
}

export interface Content {
  span: Span;
  blocks: Block[];
  made: Made[];
  readings: Readings[];
}

export interface Speech {
  axis: (ms: number) => string;
  block: (block: Block) => string;
  made: (made: Made) => string;
  reading: (readings: Readings, value: number) => string;
  name: (readings: Readings) => string;
  counts: string;
  at: (ms: number) => string;
}

export const LEFT_PX = 64;
const RIGHT_PX = 16;
export const BAND = { top: 8, height: 44 };
const COUNTS = { top: 92, height: 130 };
const TREND = { first: 280, height: 110, step: 156 };

export const heightPx = (trends: number): number => (trends === 0 ? 256 : TREND.first + trends * TREND.step - 20);

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what ECharts gives to renderItem has no useful type
type Api = any;

const tall = (state: Block["state"]) => state === "fault" || state === "many";

export function band(look: Look, blocks: readonly Block[]) {
  return (_: unknown, api: Api) => {
    const block = blocks[api.value(2) as number];
    if (!block) return null;
    const [x0, y] = api.coord([api.value(0), 0]) as [number, number];
    const [x1] = api.coord([api.value(1), 0]) as [number, number];
    const height = BAND.height * (tall(block.state) ? 1 : 0.8);
    const shape = { x: x0, y: y - BAND.height / 2 + (BAND.height - height), width: Math.max(1, x1 - x0), height };
    const color = look.states[block.state];
    const outlined = block.state === "idle" || block.state === "stopped";
    const hatched = block.state === "offline" || block.state === "many";
    const body = { type: "rect", shape, style: { fill: hatched || outlined ? look.bar : color, stroke: hatched || outlined ? color : undefined, lineWidth: 1, lineDash: block.state === "offline" ? [4, 3] : undefined } };
    if (!hatched) return body;
    const lines = [];
    for (let x = shape.x - shape.height; x < shape.x + shape.width; x += 7) {
      lines.push({ type: "line", silent: true, shape: { x1: x, y1: shape.y + shape.height, x2: x + shape.height, y2: shape.y }, style: { stroke: color, lineWidth: 1 } });
    }
    return { type: "group", children: [body, { type: "group", silent: true, clipPath: { type: "rect", shape }, children: lines }] };
  };
}

export function columns(look: Look) {
  return (_: unknown, api: Api) => {
    const [from, to, good, reject, target] = [0, 1, 2, 3, 4].map((dim) => api.value(dim) as number) as [number, number, number, number, number];
    const at = (ms: number, value: number) => api.coord([ms, value]) as [number, number];
    const [x0, base] = at(from, 0);
    const [x1] = at(to, 0);
    const width = Math.max(1, x1 - x0 - 4);
    const [, yGood] = at(from, good);
    const [, yAll] = at(from, good + reject);
    const children: unknown[] = [
      { type: "rect", shape: { x: x0 + 2, y: yGood, width, height: base - yGood }, style: { fill: look.states.running } },
      { type: "rect", shape: { x: x0 + 2, y: yAll, width, height: yGood - yAll }, style: { fill: look.states.fault } },
    ];
    if (width > 26 && good + reject > 0) {
      children.push({ type: "text", silent: true, style: { text: String(Math.round(good * 10) / 10), x: x0 + 2 + width / 2, y: yAll - 4, align: "center", verticalAlign: "bottom", fill: look.ink, font: `12px ${look.font}` } });
    }
    if (!Number.isNaN(target)) {
      const [, y] = at(from, target);
      children.push({ type: "line", silent: true, shape: { x1: x0, x2: x1, y1: y, y2: y }, style: { stroke: look.ink, lineWidth: 2, lineDash: [4, 3] } });
    }
    return { type: "group", children };
  };
}

export function option(content: Content, look: Look, speech: Speech): Record<string, unknown> {
  const { span, blocks, made, readings } = content;
  const grids = [BAND, COUNTS, ...readings.map((_, n) => ({ top: TREND.first + n * TREND.step, height: TREND.height }))];
  const label = { color: look.ink2, fontFamily: look.font, fontSize: 12 };
  const axis = { axisLine: { lineStyle: { color: look.line } }, axisTick: { show: false } };
  return {
    animation: false,
    useUTC: true,
    textStyle: { fontFamily: look.font },
    grid: grids.map((grid) => ({ left: LEFT_PX, right: RIGHT_PX, ...grid })),
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: look.ink2 } },
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, formatter: (items: unknown) => tooltip(items, content, speech), axisPointer: { type: "line" } },
    dataZoom: [{ type: "inside", xAxisIndex: grids.map((_, n) => n), filterMode: "none", zoomOnMouseWheel: true, moveOnMouseMove: true }],
    xAxis: grids.map((_, n) => ({
      gridIndex: n, type: "time", min: span.fromMs, max: span.toMs, ...axis,
      axisLabel: { ...label, show: n > 0, hideOverlap: true, formatter: speech.axis }, splitLine: { show: n > 1, lineStyle: { color: look.line, opacity: 0.5 } },
    })),
    yAxis: grids.map((_, n) => (n === 0
      ? { gridIndex: n, min: -1, max: 1, show: false }
      : {
        gridIndex: n, ...axis, axisLabel: label, splitNumber: 3, scale: n > 1, ...(n === 1 ? { min: 0 } : n > 1 ? reach(readings[n - 2] as Readings) : {}), boundaryGap: n === 1 ? [0, 0.15] : undefined, minInterval: n === 1 ? 1 : undefined,
        splitLine: { lineStyle: { color: look.line, opacity: 0.5 } }, nameTextStyle: { ...label, align: "left" }, nameLocation: "end", nameGap: 14,
        name: n === 1 ? speech.counts : speech.name(readings[n - 2] as Readings),
      })),
    series: [
      { id: "band", type: "custom", xAxisIndex: 0, yAxisIndex: 0, clip: true, renderItem: band(look, blocks), encode: { x: [0, 1], y: -1 }, data: blocks.map((block, n) => [block.fromMs, block.toMs, n]) },
      { id: "made", type: "custom", xAxisIndex: 1, yAxisIndex: 1, clip: true, renderItem: columns(look), encode: { x: [0, 1], y: 5 },
        data: made.map((one) => [one.fromMs, one.toMs, one.good, one.reject, one.target ?? NaN, Math.max(one.good + one.reject, one.target ?? 0)]) },
      ...readings.flatMap((one, n) => trend(one, n + 2, look)),
    ],
  };
}

// An axis shows its limits also where no value comes near them.
function reach({ limits }: Readings): object {
  const { low = null, high = null } = limits ?? {};
  const least = (value: { min: number }) => (low === null ? value.min : Math.min(low, value.min));
  const most = (value: { max: number }) => (high === null ? value.max : Math.max(high, value.max));
  return low === null && high === null ? {} : { min: least, max: most };
}

// The envelope of what was read, with its last value as a line; gaps stay gaps.
function trend(readings: Readings, grid: number, look: Look): object[] {
  const common = { type: "line", xAxisIndex: grid, yAxisIndex: grid, showSymbol: false, connectNulls: false, silent: true };
  const spread = { ...common, stack: `${readings.tag} spread`, lineStyle: { opacity: 0 }, tooltip: { show: false } };
  const { low = null, high = null } = readings.limits ?? {};
  const marks = [low, high].filter((value) => value !== null);
  const beyond = (value: number | null) => value !== null && ((low !== null && value < low) || (high !== null && value > high));
  // The last value stays ink; where the envelope leaves the limits a red line says how far.
  const out = marks.length ? readings.points.map(([t, min, max]) => [t, beyond(max) ? max : beyond(min) ? min : null]) : [];
  const within = { silent: true, itemStyle: { color: look.ink2, opacity: 0.09 }, data: [[{ yAxis: low ?? "min" }, { yAxis: high ?? "max" }]] };
  return [
    { ...spread, id: `${readings.tag} min`, data: readings.points.map(([t, min]) => [t, min]) },
    { ...spread, id: `${readings.tag} max`, areaStyle: { color: look.states.running, opacity: 0.3 }, data: readings.points.map(([t, min, max]) => [t, min === null || max === null ? null : max - min]) },
    { ...common, id: readings.tag, lineStyle: { color: look.ink, width: 1.2 }, itemStyle: { color: look.ink }, data: readings.points.map(([t, , , last]) => [t, last]),
      markArea: marks.length ? within : undefined,
      markLine: marks.length ? { silent: true, symbol: "none", label: { color: look.ink2, position: "insideEndTop", fontSize: 11 }, lineStyle: { color: look.ink2, type: "dashed" }, data: marks.map((value) => ({ yAxis: value })) } : undefined },
    ...(marks.length ? [{ ...common, id: `${readings.tag} out`, showSymbol: true, symbol: "circle", symbolSize: 2.5, lineStyle: { color: look.states.fault, width: 2 }, itemStyle: { color: look.states.fault }, tooltip: { show: false }, data: out }] : []),
  ];
}

// The word of everything at the pointer.
export function tooltip(items: unknown, { blocks, made, readings }: Content, speech: Speech): string {
  const first = Array.isArray(items) ? (items[0] as { axisValue?: number } | undefined) : undefined;
  const ms = first?.axisValue;
  if (ms === undefined) return "";
  const inside = (one: { fromMs: number; toMs: number }) => one.fromMs <= ms && ms < one.toMs;
  const block = blocks.find(inside);
  const bucket = made.find(inside);
  const lines = [speech.at(ms), block ? speech.block(block) : "", bucket ? speech.made(bucket) : ""];
  for (const one of readings) {
    const point = one.points.findLast(([t]) => t <= ms);
    if (point && point[3] !== null) lines.push(speech.reading(one, point[3]));
  }
  return lines.filter(Boolean).join("\n");
}
