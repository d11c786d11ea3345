// The list of active faults: filters, groups and an order that does not move under a finger. Pure.

import type { Fault } from "./types";

export interface Filter {
  line: string;
  priority: string;
  shelved: boolean;
  equipment: string;
  by: string; // who acknowledged or commented it
}

const doneBy = (fault: Fault, who: string): boolean => fault.acked?.by === who || fault.comments.some((said) => said.by === who);

export const lineOf = (fault: Fault): string => [fault.area, fault.line].filter((part) => part && part !== "_").join(" / ");

export function shownFaults(faults: readonly Fault[], filter: Filter): Fault[] {
  return faults.filter((fault) =>
    filter.shelved === (fault.shelved_until !== null)
    && (filter.line === "" || lineOf(fault) === filter.line)
    && (filter.priority === "" || String(fault.priority) === filter.priority)
    && (filter.equipment === "" || fault.equipment === filter.equipment)
    && (filter.by === "" || doneBy(fault, filter.by)));
}

// Unacknowledged first, then the urgent, then the old.
export function ordered(faults: readonly Fault[]): Fault[] {
  const rank = (fault: Fault) => [Number(fault.acked !== null), fault.priority, Date.parse(fault.raised_at)] as const;
  return [...faults].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
  });
}

// While somebody points at the list, rows keep their place and new ones wait: they are counted.
export function held(faults: readonly Fault[], order: readonly string[]): { rows: Fault[]; waiting: number } {
  const known = new Map(faults.map((fault) => [fault.fault_id, fault]));
  const rows = order.flatMap((id) => known.get(id) ?? []);
  return { rows, waiting: faults.length - rows.length };
}

export const unacked = (faults: readonly Fault[]): number =>
  faults.filter((fault) => fault.acked === null && fault.shelved_until === null).length;

export interface Group {
  key: string;
  faults: Fault[]; // more than one only in a flood: what came first is first
}

// A flood on one machine is one row that opens.
export const FLOOD = 10;

export function grouped(faults: readonly Fault[]): Group[] {
  const per = new Map<string, Fault[]>();
  for (const fault of faults) if (fault.flood) per.set(fault.equipment, [...(per.get(fault.equipment) ?? []), fault]);
  const groups: Group[] = [];
  const done = new Set<string>();
  for (const fault of faults) {
    const flood = fault.flood ? (per.get(fault.equipment) ?? []) : [];
    if (flood.length <= FLOOD) groups.push({ key: fault.fault_id, faults: [fault] });
    else if (!done.has(fault.equipment)) {
      done.add(fault.equipment);
      const first = [...flood].sort((a, b) => Number(b.first_up) - Number(a.first_up) || Date.parse(a.raised_at) - Date.parse(b.raised_at));
      groups.push({ key: `flood ${fault.equipment}`, faults: first });
    }
  }
  return groups;
}
