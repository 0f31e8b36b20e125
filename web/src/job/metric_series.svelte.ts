// The numbers that a job reports, by name: read from the daemon where it keeps them, and added to as progress comes.
import { asApiError, isAborted } from '@/api/client';
import { readMetrics } from '@/api/routes';
import type { Progress, Series } from '@/api/types';
import { added, pointsOf } from './metric_points';

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
