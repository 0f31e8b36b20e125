// A job's life as spans of time, from its history: what the bar over the timeline draws.
import type { HistoryEntry, Json } from '@/api/types';

export type PhaseKind = 'queued' | 'held' | 'starting' | 'loading' | 'running';
export interface Phase {
  kind: PhaseKind;
  from: number; // ms since 1970
  to: number;
  attempt: number; // 0 before the first
  open: boolean; // goes on
}

const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);

// `now` ends the phase that goes on; a job that is over has none.
export function phasesOf(history: HistoryEntry[], now: number): Phase[] {
  const phases: Phase[] = [];
  let current = null as Pick<Phase, 'kind' | 'from' | 'attempt'> | null;
  const turn = (at: number, kind: PhaseKind | null, attempt = current?.attempt ?? 0) => {
    if (current && at > current.from) phases.push({ ...current, to: at, open: false });
    current = kind ? { kind, from: at, attempt } : null;
  };
  for (const { at, what, detail } of history) {
    const time = Date.parse(at);
    const attempt = current?.attempt ?? 0;
    switch (what) {
      case 'job_queued':
        turn(time, detail['held'] === true ? 'held' : 'queued', 0);
        break;
      case 'job_held':
        turn(time, 'held');
        break;
      case 'job_released':
      case 'job_retried':
      case 'batch_requeued':
      case 'attempt_ended':
        turn(time, detail['how'] === 'suspended' ? 'held' : 'queued', attempt);
        break;
      case 'batch_started':
        turn(time, 'starting', number(detail['attempt']));
        break;
      case 'run_started':
        turn(time, 'running', attempt);
        break;
      case 'run_loaded':
        // Only a worker tells that it has loaded; until then it was not yet at work.
        if (current?.kind === 'running') current.kind = 'loading';
        turn(time, 'running', attempt);
        break;
      case 'job_finished':
        turn(time, null);
        break;
    }
  }
  if (current) phases.push({ ...current, to: Math.max(now, current.from), open: true });
  return phases;
}
