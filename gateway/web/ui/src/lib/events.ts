// An event as a sentence for people.

import { duration, number, unit } from "./format";
import { said, t, word } from "./i18n";
import type { Text } from "./types";

export interface GatewayEvent {
  id: string;
  seq: number;
  equipment: string;
  type: string;
  part: string;
  time: string;
  data: Record<string, unknown>;
}

export const TYPES = ["status", "fault", "count", "health", "note", "gap"] as const;

type Data = Record<string, unknown>;
const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? number(value) : "");
const spokenReason = (value: unknown): string => {
  const reason = value as { text?: Text; category?: string } | null | undefined;
  return reason ? said(reason.text, word("category", reason.category)) : "";
};
const joined = (...parts: string[]): string => parts.filter(Boolean).join(" · ");

const SENTENCES: Record<string, (data: Data) => string> = {
  status: (data) => {
    const before = typeof data["prev_duration_ms"] === "number" ? t("event.before", { state: word("state", text(data["prev_state"])), time: duration((data["prev_duration_ms"] as number) / 1000) }) : "";
    return joined(word("state", text(data["state"])), spokenReason(data["reason"]), before);
  },
  fault: (data) => {
    const fault = data["text"] as Text | undefined;
    return joined(word("transition", text(data["transition"])), `${text(data["code"])} ${said(fault)}`.trim(), text(data["by"] ?? data["acked_by"]), text(data["comment"]));
  },
  count: (data) => {
    const anomaly = text(data["anomaly"]);
    return joined(`${word("kind", text(data["kind"]), text(data["counter"]))} +${text(data["delta"])} ${unit(text(data["unit"]))}`.trim(), t("event.total", { n: text(data["total"]) }), anomaly === "none" ? "" : word("anomaly", anomaly));
  },
  health: (data) => {
    const error = data["error"] as { text?: string } | null | undefined;
    return joined(`${t("link")} ${text(data["link"])}`, word("link", text(data["state"])), error?.text ?? "");
  },
  note: (data) => joined(text(data["by"]), spokenReason(data["reason"]), text(data["comment"])),
  gap: (data) => joined(text(data["stream"]), text(data["reason"]), text(data["count"])),
};

export const sentence = (event: GatewayEvent): string => SENTENCES[event.type]?.(event.data) ?? "";
