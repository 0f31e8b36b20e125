// Jobs that have ended, newest first, read on as one scrolls down.
import { asApiError, isAborted, type ApiError } from '@/api/client';
import { readJobs } from '@/api/routes';
import type { Job } from '@/api/types';
import { finishedStatuses, type Filters } from './filters';
import type { RowSource } from './row_source';

const pageSize = 100;

export class FinishedRows implements RowSource {
  loaded = $state(false);
  error = $state.raw<ApiError | null>(null);
  private rows = $state.raw<Job[]>([]);
  private next: number | null = null; // where to go on; null: at the end
  private wantedEnd = 0;
  private reading: AbortController | null = null;
  private stale = true;

  constructor(private readonly filters: Filters) {}

  get total(): number {
    return this.rows.length;
  }
  at(index: number): Job | undefined {
    return this.rows[index];
  }
  show(_first: number, end: number): void {
    this.wantedEnd = end;
    void this.read();
  }
  refresh(): void {
    this.stale = true;
    void this.read();
  }
  close(): void {
    this.reading?.abort();
  }
  async readAll(): Promise<Job[]> {
    return this.rows;
  }

  private async read(): Promise<void> {
    if (this.reading) return;
    const mine = (this.reading = new AbortController());
    try {
      while (this.stale || (this.next !== null && this.wantedEnd + pageSize / 2 > this.rows.length)) {
        const fromTop = this.stale;
        this.stale = false;
        const page = await this.page(fromTop ? undefined : (this.next ?? undefined), mine.signal);
        this.rows = fromTop ? this.joined(page.jobs, page.next_before) : [...this.rows, ...page.jobs];
        if (!fromTop || this.rows.length === page.jobs.length) this.next = page.next_before;
        this.loaded = true;
        this.error = null;
      }
    } catch (thrown) {
      if (mine.signal.aborted || isAborted(thrown)) return;
      const error = asApiError(thrown);
      if (error.kind === 'refused') this.error = error;
    }
    this.reading = null;
  }

  // A new first page before what was read further down; what ended meanwhile pushes the rest, nothing is read twice.
  private joined(top: Job[], nextBefore: number | null): Job[] {
    const last = top.at(-1);
    if (nextBefore === null || !last) return top;
    const ids = new Set(top.map((job) => job.id));
    const rest = this.rows.filter((job) => job.id < last.id && !ids.has(job.id));
    return [...top, ...rest];
  }

  private page(before: number | undefined, signal: AbortSignal) {
    const { status, type, find } = this.filters;
    const wanted = status && status !== 'held' ? status : finishedStatuses.join(',');
    return readJobs({ status: wanted, type, name: find.trim(), before, limit: pageSize }, signal);
  }
}
