// Something read from the daemon and kept up to date: read at once, and again when the connection says that anything
// changed, at most one request at a time. While the daemon is away the last value stays.
import { asApiError, isAborted, type ApiError } from '@/api/client';
import { connection } from './connection.svelte';

const betweenReads = 300; // ms

export class Resource<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);

  private running: AbortController | null = null;
  private wanted = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly load: (signal: AbortSignal) => Promise<T>) {}

  // Follows until the function that it returns is called; made for onMount and $effect.
  follow(): () => void {
    this.closed = false;
    const stop = connection.onChange(() => this.refresh());
    this.refresh();
    return () => {
      stop();
      this.close();
    };
  }

  refresh(): void {
    if (this.closed || this.error?.kind === 'not_available') return; // it will not come by asking again
    this.wanted = true;
    if (!this.running && this.timer === undefined) void this.read();
  }

  close(): void {
    this.closed = true;
    this.running?.abort();
    this.running = null;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async read(): Promise<void> {
    this.wanted = false;
    const mine = (this.running = new AbortController());
    this.loading = true;
    try {
      const value = await this.load(mine.signal);
      if (mine.signal.aborted) return;
      this.value = value;
      this.error = null;
    } catch (thrown) {
      if (mine.signal.aborted || isAborted(thrown)) return;
      const error = asApiError(thrown);
      // The banner tells that the daemon is away; here the last value stays.
      if (error.kind !== 'away' && error.kind !== 'no_access') this.error = error;
    } finally {
      if (this.running === mine) {
        this.running = null;
        this.loading = false;
        this.timer = setTimeout(() => {
          this.timer = undefined;
          if (this.wanted && !this.closed) void this.read();
        }, betweenReads);
      }
    }
  }
}
