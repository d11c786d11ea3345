// Addresses: where to go after the log-in, and who can get there.

// A path of these pages, never another host.
export function localPath(next: unknown): string {
  const path = typeof next === "string" ? next : "";
  return /^\/(?![/\\])/.test(path) && !/[\\\u0000-\u001f]/.test(path) && !path.startsWith("/login") ? path : "/";
}

// This machine's own name for itself leads nowhere from any other.
export const isLocal = (host: string): boolean => /^(localhost|127\.|\[::1\])/.test(host);
