// Rows of the statistics (one a bucket and job type) added up to one bar a bucket.
import type { BucketRow, StatisticsHistory } from '@/api/types';

export interface Bar {
  start: number;
  completed: number;
  failed: number;
  cancelled: number;
  waitP50: number | null;
  waitP90: number | null;
}

// A bar for each bucket from the first to the last, also where nothing happened. `type` '' adds up all.
export function barsOf(history: StatisticsHistory, type: string, now: number): Bar[] {
  const width = history.bucket === 'hour' ? 3_600_000 : 86_400_000;
  const first = Date.parse(history.from);
  if (!Number.isFinite(first)) return [];
  const rows = new Map<number, BucketRow[]>();
  for (const row of history.rows) {
    if (type && row.type !== type) continue;
    const index = Math.round((Date.parse(row.start) - first) / width);
    rows.set(index, [...(rows.get(index) ?? []), row]);
  }
  const bars: Bar[] = [];
  for (let index = 0; first + index * width <= now && index < 1_000; index += 1) {
    const here = rows.get(index) ?? [];
    bars.push({
      start: first + index * width,
      completed: sum(here.map((row) => row.completed)),
      failed: sum(here.map((row) => row.failed)),
      cancelled: sum(here.map((row) => row.cancelled)),
      waitP50: largest(here.map((row) => row.wait_p50_seconds)),
      waitP90: largest(here.map((row) => row.wait_p90_seconds)),
    });
  }
  return bars;
}

const sum = (all: number[]): number => all.reduce((a, b) => a + b, 0);
// Percentiles of several types cannot be added; the largest is the honest one to show.
function largest(all: (number | null)[]): number | null {
  const known = all.filter((one) => one !== null);
  return known.length === 0 ? null : Math.max(...known);
}
