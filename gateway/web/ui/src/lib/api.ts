// Requests to the server. What it refuses comes back as a Problem (RFC 9457) that names what to do.

import { ref } from "vue";
import { lang } from "./i18n";

const BASE = "/api/v1";
const LIMIT_MS = 20_000;

export interface FieldError {
  field: string;
  code: string;
  detail?: string;
}

export class Problem extends Error {
  constructor(
    readonly status: number, // 0: no answer at all
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail || title || code);
  }
}

export const csrf = ref("");
export const loginEnded = ref(false); // a request was answered 401 after a login

export type Params = Record<string, string | number | null | undefined>;

export function path(where: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `${BASE}${where}${text ? `?${text}` : ""}`;
}

export const get = <T>(where: string, params: Params = {}, signal?: AbortSignal): Promise<T> =>
  ask<T>("GET", path(where, params), undefined, signal);
export const post = <T>(where: string, body: unknown = {}, params: Params = {}): Promise<T> => ask<T>("POST", path(where, params), body);
export const patch = <T>(where: string, body: unknown): Promise<T> => ask<T>("PATCH", path(where), body);
export const remove = <T>(where: string): Promise<T> => ask<T>("DELETE", path(where));

// A command whose answer was lost goes out again under the key it had: then it is not done twice.
const COMMANDS = /^\/api\/v1\/(equipment|faults)\//;
const KEPT_MS = 300_000;
const unanswered = new Map<string, { key: string; atMs: number }>();

function keyOf(what: string): string {
  const known = unanswered.get(what);
  if (known && performance.now() - known.atMs < KEPT_MS) return known.key;
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  unanswered.set(what, { key, atMs: performance.now() });
  return key;
}

async function ask<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": lang.value };
  if (method !== "GET") headers["X-CSRF"] = csrf.value;
  const raw = body instanceof Blob;
  const what = method === "POST" && COMMANDS.test(url) ? `${url} ${JSON.stringify(body)}` : "";
  if (what) headers["Idempotency-Key"] = keyOf(what);
  if (body !== undefined) headers["Content-Type"] = raw ? "application/zip" : "application/json";
  const limit = AbortSignal.timeout(LIMIT_MS);
  let answer: Response;
  try {
    answer = await fetch(url, {
      method, headers, credentials: "same-origin",
      signal: signal ?? limit,
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "no_answer", "", "");
  }
  if (answer.status < 500) unanswered.delete(what);
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T;
  throw await refusal(answer);
}

async function refusal(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : "");
  const problem = new Problem(answer.status, text("code"), text("title"), text("detail"), body);
  if (answer.status === 401 && csrf.value !== "" && problem.code === "not_logged_in") loginEnded.value = true;
  return problem;
}
