import { afterEach, expect, test, vi } from "vitest";
import { post } from "../src/lib/api";

afterEach(() => vi.unstubAllGlobals());

function server(...statuses: number[]) {
  const keys: (string | undefined)[] = [];
  vi.stubGlobal("fetch", async (_: string, init: { headers: Record<string, string> }) => {
    keys.push(init.headers["Idempotency-Key"]);
    const status = statuses.shift() ?? 200;
    if (status === 0) throw new TypeError("no answer");
    return new Response("{}", { status });
  });
  return keys;
}

test("a command goes out again under its key until it is answered, and then under a new one", async () => {
  const keys = server(503, 0, 200, 409, 200);
  const book = (quantity: number) => post("/equipment/press-07/scrap", { quantity }).catch(() => undefined);
  for (let n = 0; n < 5; n += 1) await book(3);
  await book(4);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys.slice(1, 3)).toEqual([keys[0], keys[0]]);
  expect(new Set(keys).size).toBe(4);
});

test("nothing but a command is named by a key", async () => {
  const keys = server();
  await post("/login", { name: "li", password: "x" });
  expect(keys).toEqual([undefined]);
});
