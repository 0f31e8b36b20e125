// How long to wait before the next try to reach the daemon: 0.5 s, 1 s, 2 s, then every 4 s, a little spread so that
// many open pages do not come at once.
export function backoff(failures: number, random = Math.random()): number {
  return Math.min(500 * 2 ** failures, 4_000) * (0.85 + 0.3 * random);
}
