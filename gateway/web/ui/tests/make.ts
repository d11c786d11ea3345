// Tiles for the tests.

import type { Order, Tile, TileFault } from "../src/lib/types";

export function tile(equipment: string, more: Partial<Tile> = {}): Tile {
  return {
    equipment, name: { zh: "", en: equipment }, area: "stamping", line: "line-1", stage: "live", state: "running",
    since: "2026-03-20T01:00:00.000Z", mode: "auto", reason: null, counters: [], faults: [], links: [], order: null, ...more,
  };
}

export function fault(more: Partial<TileFault> = {}): TileFault {
  return {
    fault_id: "f-1", code: "E1", text: { en: "Jam" }, remedy: {}, priority: 1, stops_machine: true,
    raised_at: "2026-03-20T01:00:00.000Z", acked: false, quality: "good", ...more,
  };
}

export function order(order_no: string, more: Partial<Order> = {}): Order {
  return { order_no, operation: null, product: null, batch: null, planned_qty: null, since: null, good: null, due: null, ...more };
}
