// What the API sends. Times are RFC 3339 UTC; a null says that it is not known.

export type Lang = "zh" | "en";
export type Text = Partial<Record<Lang, string>>;
export type State = "offline" | "running" | "idle" | "stopped" | "fault" | "setup" | "maintenance";
export type Quality = "good" | "uncertain" | "bad";
export type Role = "viewer" | "maintenance" | "engineer" | "admin";
export type Theme = "calm" | "tower" | "dark";

// How a paired television shows the board; no lines are all of them, each is "area/line".
export interface Looks {
  name: string;
  theme: Theme;
  language: Lang;
  lines: string[];
}

export interface Reason {
  code: string;
  text?: Text | null;
  category: string;
  planned?: boolean | null;
}

export interface Counter {
  counter: string;
  kind: string | null;
  total: number;
  unit: string;
  at: string;
}

export interface TileFault {
  fault_id: string;
  code: string;
  text: Text;
  remedy: Text;
  priority: 1 | 2 | 3;
  stops_machine: boolean;
  raised_at: string;
  acked: boolean;
  quality: Quality;
}

export interface Link {
  link: string;
  state: "starting" | "online" | "degraded" | "offline" | "disabled";
  last_ok: string | null;
  rtt_ms: number | null;
  failures: number;
  error: { class?: string; text?: string; hint?: string; advice?: Text } | null;
}

export interface Order {
  order_no: string;
  operation: string | null;
  product: string | null;
  batch: string | null;
  planned_qty: number | null;
  since: string | null;
  good: number | null; // since it began here
  due: number | null; // what the plan says by now
}

// The running shift's figures; `missing` says why `oee` is not there.
export interface Figures {
  shift: string | null;
  since: string;
  good: number | null;
  reject: number | null;
  target: number | null;
  due: number | null;
  oee: number | null;
  missing: string | null;
}

export interface Tile {
  equipment: string;
  name: Text;
  area: string;
  line: string;
  stage: string;
  state: State;
  since: string | null;
  mode: string;
  reason: Reason | null;
  counters: Counter[];
  faults: TileFault[];
  links: Link[];
  order: Order | null;
  figures?: Figures | null;
}

export interface Site {
  site: string;
  gateway: string;
  timezone: string;
}

export interface Collector {
  alive: boolean;
  at: string | null;
  problem: string | null;
  problem_code: string | null;
}

export interface Acked {
  by: string | null;
  at: string | null;
}

export interface Said {
  by: string | null;
  at: string;
  comment: string;
}

// One occurrence of a fault, from raised to cleared, with what people did about it.
export interface Fault {
  fault_id: string;
  equipment: string;
  name: Text;
  area: string;
  line: string;
  code: string;
  text: Text;
  remedy: Text;
  cause: Text;
  severity: number;
  priority: 1 | 2 | 3;
  category: string;
  stops_machine: boolean;
  raised_at: string;
  cleared_at: string | null;
  duration_ms?: number | null;
  active: boolean;
  acked: Acked | null;
  shelved_until: string | null;
  comments: Said[];
  count: number;
  chattering: boolean;
  first_up: boolean;
  flood: boolean;
  quality: Quality;
}

// What became of a change of the configuration.
export interface Outcome {
  accepted: boolean;
  revision: number;
  text: Text;
  problems: { file: string; line: number; key: string; code: string; text: Text; hint: Text | null }[];
}
