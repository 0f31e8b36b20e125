// The queue, filtered: the daemon's queue has no filters, so all of it is read and the choice is made here.
import { asApiError, isAborted, type ApiError } from '@/api/client';
import type { Job } from '@/api/types';
import { matches, type Filters } from './filters';
import { readWholeQueue } from './queue_rows.svelte';
import type { RowSource } from './row_source';

export class FilteredRows implements RowSource {
  loaded = $state(false);
  error = $state.raw<ApiError | null>(null);
  private rows = $state.raw<Job[]>([]);
  private reading: AbortController | null = null;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly filters: Filters) {
    void this.read();
  }

  get total(): number {
    return this.rows.length;
  }
  at(index: number): Job | undefined {
    return this.rows[index];
  }
  show(): void {}
  refresh(): void {
    this.again = true;
    if (!this.reading && this.timer === undefined) void this.read();
  }
  close(): void {
    this.reading?.abort();
    clearTimeout(this.timer);
  }
  async readAll(): Promise<Job[]> {
    return this.rows;
  }

  private async read(): Promise<void> {
    this.again = false;
    const mine = (this.reading = new AbortController());
    let size = 0;
    try {
      const all = await readWholeQueue(mine.signal);
      size = all.length;
      this.rows = all.filter((job) => matches(job, this.filters));
      this.loaded = true;
      this.error = null;
    } catch (thrown) {
      if (mine.signal.aborted || isAborted(thrown)) return;
      const error = asApiError(thrown);
      if (error.kind === 'refused') this.error = error;
    }
    this.reading = null;
    // A long queue is read again less often.
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        if (this.again) void this.read();
      },
      size > 2_000 ? 4_000 : 300,
    );
  }
}
