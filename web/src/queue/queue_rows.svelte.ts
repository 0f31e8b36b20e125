// The queue in its own order, read in pages as they come into sight.
import { asApiError, isAborted, type ApiError } from '@/api/client';
import { readQueue } from '@/api/routes';
import type { Job, QueueCounts } from '@/api/types';
import type { RowSource } from './row_source';
import { pagesOf } from './window';

const pageSize = 100;
const betweenReads = 250; // ms

export class QueueRows implements RowSource {
  counts = $state.raw<QueueCounts>({ queued: 0, held: 0, running: 0 });
  loaded = $state(false);
  error = $state.raw<ApiError | null>(null);
  readonly total = $derived(this.counts.queued + this.counts.held + this.counts.running);

  private pages = $state.raw<ReadonlyMap<number, Job[]>>(new Map());
  private fresh = new Set<number>();
  private sight = { first: 0, end: 1 };
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  at(index: number): Job | undefined {
    return this.pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  show(first: number, end: number): void {
    this.sight = { first, end: Math.max(end, first + 1) };
    if (!this.reading && this.timer === undefined) void this.read();
  }

  refresh(): void {
    this.fresh.clear();
    if (!this.reading && this.timer === undefined) void this.read();
  }

  close(): void {
    this.reading?.abort();
    clearTimeout(this.timer);
  }

  async readAll(): Promise<Job[]> {
    return readWholeQueue();
  }

  private async read(): Promise<void> {
    const wanted = pagesOf(this.sight, pageSize).filter((page) => !this.fresh.has(page));
    if (wanted.length === 0) return;
    const mine = (this.reading = new AbortController());
    try {
      for (const page of wanted) {
        this.fresh.add(page); // what changes from here on makes it stale again
        const answer = await readQueue(page * pageSize, pageSize, mine.signal);
        this.counts = answer.counts;
        this.pages = new Map(this.pages).set(page, answer.jobs);
        this.loaded = true;
        this.error = null;
      }
    } catch (thrown) {
      if (mine.signal.aborted || isAborted(thrown)) return;
      this.fresh.clear();
      const error = asApiError(thrown);
      if (error.kind === 'refused') this.error = error;
      if (error.kind === 'away' || error.kind === 'no_access') {
        this.reading = null;
        return; // the connection says when it is worth trying again
      }
    }
    this.reading = null;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.read();
    }, betweenReads);
  }
}

// Every job of the queue, running ones first.
export async function readWholeQueue(signal?: AbortSignal): Promise<Job[]> {
  const all = new Map<number, Job>();
  for (let offset = 0; ; offset += 1_000) {
    const page = await readQueue(offset, 1_000, signal);
    for (const job of page.jobs) all.set(job.id, job);
    if (page.jobs.length < 1_000) return [...all.values()];
  }
}
