// The one live stream of this page. Everything shown as present comes from here.

import { reactive, ref, shallowReactive, type Ref } from "vue";
import { apply, isStale, replaceAll, serverNow, type Anchor, type Changes, type Head, type Hello, type Tiles } from "./stream";
import type { Collector, Fault, Looks, Site } from "./types";

const PEOPLE = "/api/v1/stream?topics=tiles,faults";
const AGAIN_MS = 2000;
const SILENT_MS = 10_000; // a beat comes every 2 s: a connection this quiet is dead, though nothing says so

export const tiles: Tiles = shallowReactive(new Map());
export const faults: Ref<Fault[]> = ref([]);
export const site: Site = reactive({ site: "", gateway: "", timezone: "UTC" });
export const collector: Ref<Collector | null> = ref(null);
export const greeted = ref(false); // a hello has come: what is shown was true once
export const stale = ref(false);
export const nowMs = ref(0); // the server's clock in steps of a second
export const refused = ref(0); // how often the server answered something that is no stream

export const looks: Ref<Looks | null> = ref(null); // of this television; null: no display looks here

let anchor: Anchor | null = null;
let source: EventSource | null = null;
let wanted = false;
let from = PEOPLE;
let heardMs = 0; // when the connection was made or last said something

// Begins, or begins again; a hidden page keeps no connection: a browser allows six to one server.
export function connect(stream = PEOPLE): void {
  if (stream !== from) close();
  from = stream;
  wanted = true;
  if (source !== null || document.hidden) return;
  heardMs = performance.now();
  source = new EventSource(from);
  source.addEventListener("hello", (event) => hello(read<Hello>(event)));
  source.addEventListener("tiles", (event) => apply(tiles, read<Changes>(event)));
  source.addEventListener("faults", (event) => (faults.value = read<Head & { faults: Fault[] }>(event).faults));
  source.addEventListener("beat", (event) => read<Head>(event));
  source.addEventListener("display", (event) => (looks.value = JSON.parse((event as MessageEvent<string>).data) as Looks));
  source.addEventListener("error", again);
}

export function disconnect(): void {
  wanted = false;
  close();
  anchor = null;
  stale.value = greeted.value = false;
}

function close(): void {
  source?.close();
  source = null;
}

// A browser gives up after an answer that is no stream; a restarting server and an ended login give such.
function again(): void {
  if (source?.readyState !== EventSource.CLOSED) return;
  close();
  refused.value += 1;
  setTimeout(() => wanted && connect(from), AGAIN_MS);
}

function read<T extends Head>(event: MessageEvent<string>): T {
  const message = JSON.parse(event.data) as T;
  heardMs = performance.now();
  anchor = { serverMs: Date.parse(message.now), pageMs: performance.now() };
  if (message.collector) collector.value = message.collector;
  tick();
  return message;
}

function hello(message: Hello & { faults?: Fault[] }): void {
  Object.assign(site, message.site);
  replaceAll(tiles, message);
  faults.value = message.faults ?? [];
  greeted.value = true;
}

function tick(): void {
  const pageMs = performance.now();
  if (source !== null && pageMs - heardMs > SILENT_MS) {
    close();
    connect(from);
  }
  stale.value = isStale(anchor, pageMs);
  const whole = Math.floor(serverNow(anchor, pageMs) / 1000) * 1000;
  if (whole !== nowMs.value) nowMs.value = whole;
}

export function start(): void {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (wanted) connect(from);
  });
  setInterval(tick, 250);
}
