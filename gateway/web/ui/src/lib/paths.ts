// Where to go after the log-in: a path of these pages, never another host.

export function localPath(next: unknown): string {
  const path = typeof next === "string" ? next : "";
  return /^\/(?![/\\])/.test(path) && !/[\\\u0000-\u001f]/.test(path) && !path.startsWith("/login") ? path : "/";
}
