// Follows a job's log: the end of it first, then what comes, by long requests that the daemon answers when there is more.
import { asApiError, fetchRaw, isAborted, query, type ApiError } from '@/api/client';
import { LogText } from './log_text';

const firstBytes = 512 * 1024;
const waitSeconds = 30;

export class LogFollow {
  lines = $state.raw<string[]>([]);
  skipped = $state(0); // bytes before what is shown
  complete = $state(false);
  started = $state(false); // something was answered
  error = $state.raw<ApiError | null>(null);
  private stopped = new AbortController();

  constructor(private readonly id: number) {}

  start(fromStart = false): () => void {
    this.stopped = new AbortController();
    void this.run(fromStart, this.stopped.signal);
    return () => this.stopped.abort();
  }

  showAll(): void {
    this.stopped.abort();
    this.start(true);
  }

  private async run(fromStart: boolean, signal: AbortSignal): Promise<void> {
    const text = new LogText();
    const decoder = new TextDecoder();
    let offset: number | null = null;
    this.complete = false;
    while (!signal.aborted && !this.complete) {
      try {
        const first: boolean = offset === null;
        const answer = await fetchRaw(
          `/jobs/${this.id}/log` + query(first ? { offset: fromStart ? 0 : -firstBytes, limit: firstBytes } : { offset, limit: firstBytes, wait: waitSeconds }),
          { signal },
        );
        const piece = decoder.decode(await answer.arrayBuffer(), { stream: true });
        if (signal.aborted) return;
        if (first) this.skipped = header(answer, 'Ferry-Log-Offset') ?? 0;
        const next = header(answer, 'Ferry-Log-Next') ?? 0;
        const moved = next !== offset;
        offset = next;
        // The cut before the first piece may be within a line.
        text.push(first && this.skipped > 0 ? piece.slice(piece.indexOf('\n') + 1) : piece);
        if (piece || first) this.lines = [...text.all()];
        this.complete = answer.headers.get('Ferry-Log-Complete') === 'true';
        this.started = true;
        this.error = null;
        if (!moved && !first) await rest(200, signal);
      } catch (thrown) {
        if (signal.aborted || isAborted(thrown)) return;
        const error = asApiError(thrown);
        if (error.kind === 'refused') {
          this.error = error;
          if (error.code === 'not_found') return;
        }
        await rest(2_000, signal);
      }
    }
  }
}

function header(answer: Response, name: string): number | null {
  const value = answer.headers.get(name);
  return value === null ? null : Number(value);
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
