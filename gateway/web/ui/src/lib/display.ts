// A television that was paired, or waits to be: what it is to show, and where it asks.

import { post } from "./api";
import { connect, disconnect, looks } from "./live";
import type { Looks } from "./types";

const STREAM = "/api/v1/display/stream?topics=tiles,faults";

export interface Waiting {
  code: string;
  expires_in_s: number;
}

// Without lines it shows all of them; a tile and a fault have both parts.
export const shows = (asked: Looks | null, { area, line }: { area: string; line: string }): boolean =>
  asked === null || asked.lines.length === 0 || asked.lines.includes(`${area}/${line}`);

// Six digits as people read them out.
export const spoken = (code: string): string => `${code.slice(0, 3)} ${code.slice(3)}`;

// Asks to be let in. A display goes on looking, all others are given a code to show.
export async function pair(): Promise<Waiting | null> {
  const told = await post<{ code: string | null; expires_in_s: number | null; display: Looks | null }>("/display/pair");
  if (told.display) {
    // From then on the stream says it, and comes again by itself, not at once.
    if (looks.value === null) {
      looks.value = told.display;
      connect(STREAM);
    }
    return null;
  }
  stop();
  return { code: told.code ?? "", expires_in_s: told.expires_in_s ?? 0 };
}

export function stop(): void {
  disconnect();
  looks.value = null;
}
