// Moving one job to another place: picked up, aimed at a position (with a preview by the daemon of whose start that
// changes), dropped or let go. The mouse and the keyboard drive the same steps.
import { asApiError, isAborted, type ApiError } from '@/api/client';
import { moveJob, previewMove } from '@/api/routes';
import type { Change, Job } from '@/api/types';
import { connection } from '@/live/connection.svelte';
import { say, sayError } from '@/parts/toasts.svelte';

const settle = 120; // ms at one place before the daemon is asked

export class Reorder {
  job = $state.raw<Job | null>(null);
  target = $state(0); // a position, 1 is next
  changes = $state.raw<Change[] | null>(null); // null: not known yet
  refusal = $state.raw<ApiError | null>(null);

  private asking: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get from(): number {
    return this.job?.position ?? 0;
  }

  pick(job: Job): boolean {
    if (job.position === null) return false;
    this.job = job;
    this.target = job.position;
    this.changes = [];
    this.refusal = null;
    return true;
  }

  aim(position: number, positions: number): void {
    const place = Math.min(Math.max(position, 1), positions);
    if (!this.job || place === this.target) return;
    this.target = place;
    this.changes = null;
    this.refusal = null;
    this.asking?.abort();
    clearTimeout(this.timer);
    if (place === this.from) this.changes = [];
    else this.timer = setTimeout(() => void this.ask(), settle);
  }

  async drop(): Promise<void> {
    const job = this.job;
    const target = this.target;
    const moves = target !== this.from;
    this.letGo();
    if (!job || !moves) return;
    try {
      await moveJob(job.id, target);
      say(`Job ${job.id} moved to position ${target}`);
    } catch (thrown) {
      const error = asApiError(thrown);
      sayError(`Job ${job.id} was not moved`, describe(error));
    }
    connection.changed();
  }

  letGo(): void {
    this.job = null;
    this.asking?.abort();
    clearTimeout(this.timer);
  }

  private async ask(): Promise<void> {
    if (!this.job) return;
    const mine = (this.asking = new AbortController());
    try {
      const preview = await previewMove(this.job.id, this.target, mine.signal);
      if (!mine.signal.aborted) this.changes = preview.changes;
    } catch (thrown) {
      if (mine.signal.aborted || isAborted(thrown)) return;
      this.refusal = asApiError(thrown);
    }
  }
}

export function describe(error: ApiError): string {
  const problems = error.problems.map((problem) => problem.what).join('; ');
  return [error.message, problems, error.hint].filter((part) => part !== '').join('. ');
}
