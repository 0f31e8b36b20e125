// One reading of GET /events: from the request until the stream ends. Whoever calls decides what comes after.
import { ApiError, fetchRaw, query } from '@/api/client';
import type { EventName, Events } from '@/api/types';
import { EventParser } from './event_parser';

export interface StreamRequest {
  job?: number;
  log_offset?: number; // with the job's log from there
  last_event_id?: string | null;
}

// The daemon sends a comment every 15 s; silence for longer means that the connection is dead.
const silentMax = 40_000;

export type Receive = <N extends EventName>(name: N, data: Events[N], id: string | null) => void;

// Resolves when the stream ends by itself, throws what fetchRaw throws.
export async function readEvents(what: StreamRequest, receive: Receive, signal: AbortSignal): Promise<void> {
  const silence = new AbortController();
  const stop = () => silence.abort();
  signal.addEventListener('abort', stop);
  let timer = setTimeout(stop, silentMax);
  try {
    const fields = {
      job: what.job,
      log: what.log_offset === undefined ? undefined : 1,
      log_offset: what.log_offset,
      last_event_id: what.last_event_id,
    };
    const answer = await fetchRaw('/events' + query(fields), { signal: silence.signal, headers: { Accept: 'text/event-stream' } });
    if (!answer.body || !answer.headers.get('Content-Type')?.startsWith('text/event-stream'))
      throw new ApiError('not_available', 'not_available', 'This daemon has no event stream.');
    const parser = new EventParser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const piece = await reader.read();
      if (piece.done) return;
      clearTimeout(timer);
      timer = setTimeout(stop, silentMax);
      for (const event of parser.push(piece.value)) receive(event.name as EventName, JSON.parse(event.data) as never, event.id);
    }
  } catch (thrown) {
    if (signal.aborted || thrown instanceof ApiError) throw thrown;
    throw new ApiError('away', 'unavailable', 'The connection to the daemon was lost.');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
