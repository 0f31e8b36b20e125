// The numbers that a job reports, by name: read from the daemon where it keeps them, and added to as progress comes.
import { asApiError, isAborted } from '@/api/client';
import { readMetrics } from '@/api/routes';
import type { Progress, Series } from '@/api/types';

const pointsMax = 1_000;

export class MetricSeries {
  series = $state.raw<Series[]>([]);
  private kept = false; // by the daemon
  private asked = false;

  constructor(private readonly id: number) {}

  // Asks the daemon for the whole course; false where it keeps none.
  async read(signal: AbortSignal): Promise<void> {
    try {
      const { series } = await readMetrics(this.id, pointsMax, signal);
      if (signal.aborted) return;
      this.kept = true;
      this.series = series;
    } catch (thrown) {
      if (isAborted(thrown)) return;
      if (asApiError(thrown).kind === 'not_available') this.kept = false;
    } finally {
      this.asked = true;
    }
  }

  add(progress: Progress, seconds: number): void {
    if (!this.asked && this.series.length === 0) return; // the whole course comes first
    const additions = pointsOf(progress, seconds);
    if (additions.length === 0) return;
    this.series = added(this.series, additions, this.kept ? pointsMax * 2 : pointsMax);
  }
}

type Point = Series['points'][number];
export interface Addition {
  name: string;
  point: Point;
}

// "nan" and infinities are gaps in a plot.
export function pointsOf(progress: Progress, seconds: number): Addition[] {
  const step = progress.step;
  if (step === null || !progress.metrics) return [];
  return Object.entries(progress.metrics).map(([name, value]) => ({
    name,
    point: [step, typeof value === 'number' ? value : null, seconds],
  }));
}

// Points are in order of steps; one that was there already is not added again, a job that began anew replaces what was later.
export function added(series: Series[], additions: Addition[], most: number): Series[] {
  const by = new Map(series.map((one) => [one.name, one]));
  for (const { name, point } of additions) {
    const before = by.get(name)?.points ?? [];
    if (before.at(-1)?.[0] === point[0]) continue;
    const points = [...before.filter(([step]) => step < point[0]), point];
    by.set(name, { name, points: points.length > most ? thinned(points) : points });
  }
  return [...by.values()];
}

// Every second point, the newest always.
export function thinned(points: Point[]): Point[] {
  return points.filter((_, index) => (points.length - 1 - index) % 2 === 0);
}
