// A job's life as spans of time, from its history: what the bar over the timeline draws.
import type { HistoryEntry, Json } from '@/api/types';

export type PhaseKind = 'queued' | 'held' | 'loading' | 'running';
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
  let current: { kind: PhaseKind; from: number; attempt: number } | null = null;
  const turn = (at: number, kind: PhaseKind | null, attempt = current?.attempt ?? 0) => {
    if (current && at > current.from) phases.push({ ...current, to: at, open: false });
    current = kind ? { kind, from: at, attempt } : null;
  };
  for (const { at, what, detail } of history) {
    const time = Date.parse(at);
    const attempt: number = (current as { attempt: number } | null)?.attempt ?? 0;
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
        turn(time, 'loading', number(detail['attempt']));
        break;
      case 'run_started':
        // Of a process this is its start; a worker tells when it has loaded.
        turn(time, 'running', attempt);
        break;
      case 'run_loaded':
        turn(time, 'running', attempt);
        break;
      case 'job_finished':
        turn(time, null);
        break;
    }
  }
  const last = current as { kind: PhaseKind; from: number; attempt: number } | null;
  if (last) phases.push({ ...last, to: Math.max(now, last.from), open: true });
  return phases;
}
