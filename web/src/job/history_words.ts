// A line of a job's history in the words of `ferry show` (cli/timeline.cpp).
import type { HistoryEntry, Json } from '@/api/types';

type Detail = HistoryEntry['detail'];
const plain: Record<string, string> = {
  job_queued: 'queued',
  job_edited: 'edited',
  job_released: 'released',
  job_reordered: 'moved',
  jobs_cleared: 'cleared',
  run_started: 'its process runs',
  run_loaded: 'ready to work',
};

const text = (value: Json | undefined): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const whole = (value: Json | undefined): number | null => (typeof value === 'number' && Number.isInteger(value) ? value : null);
const after = (lead: string, value: string): string => (value ? lead + value : '');
const clockTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

export function historyWords({ at, what, detail }: HistoryEntry): string {
  if (what === 'run_started' && detail['warm'] === true) return 'handed to a warm worker';
  if (plain[what]) return plain[what];
  switch (what) {
    case 'job_held':
      return 'held' + after(': ', text(detail['reason']));
    case 'job_retried':
      return detail['from_scratch'] === true ? 'queued again, from scratch' : 'queued again';
    case 'batch_started':
      return `attempt ${whole(detail['attempt']) ?? 1} starts on ${text(detail['device'])}, batch ${whole(detail['batch']) ?? 0}${itemsOf(detail)}`;
    case 'batch_requeued':
      return 'queued again, it had not started' + after(': ', text(detail['reason']));
    case 'attempt_resumed':
      return `continues${atStep(detail)}: ${text(detail['path'])}`;
    case 'start_promised': {
      const start = Date.parse(text(detail['start']));
      return `its start was promised for ${Number.isFinite(start) ? clockTime.format(start) : 'then'}`;
    }
    case 'checkpoint_saved':
      return `checkpoint${atStep(detail)}: ${text(detail['path'])}`;
    case 'run_warned':
      return `${text(detail['why'])} (${text(detail['action'])})`;
    case 'attempt_ended':
      return attemptEnd(detail, Date.parse(at));
    case 'job_finished':
      return text(detail['state']) + because(detail);
    default:
      return what.replaceAll('_', ' '); // of a newer daemon
  }
}

function because(detail: Detail): string {
  const failure = detail['failure'];
  return failure && typeof failure === 'object' && !Array.isArray(failure) ? after(': ', text(failure['message'])) : '';
}

function atStep(detail: Detail): string {
  const step = whole(detail['step']);
  return step === null ? '' : ` at step ${step}`;
}

// ": items 9 to 16 of 20", of a job that runs in parts.
function itemsOf(detail: Detail): string {
  const [first, items, of] = [whole(detail['first_item']), whole(detail['items']), whole(detail['of'])];
  return first === null || items === null || of === null ? '' : `: items ${first + 1} to ${first + items} of ${of}`;
}

function attemptEnd(detail: Detail, at: number): string {
  const how = text(detail['how']);
  if (how === 'part_done') return 'its items are done, the next ones are to come';
  // It was not its fault, as far as is known.
  if (how === 'regrouped') {
    const fewer = whole(detail['items_max']);
    const next = fewer === null ? 'its batch failed as a whole' : `to run ${fewer} items at a time`;
    return `queued again, ${next}; no attempt is counted${because(detail)}`;
  }
  const due = whole(detail['not_before']);
  return (how === 'continued' ? 'to be continued' : how) + atStep(detail) + (due === null ? '' : `, in ${lengthWords(due - at)}`) + because(detail);
}

function lengthWords(milliseconds: number): string {
  const total = Math.trunc(milliseconds / 1_000);
  const [hours, minutes, seconds] = [Math.trunc(total / 3_600), Math.trunc(total / 60) % 60, total % 60];
  if (hours > 0) return `${hours} h ${minutes} m`;
  return minutes > 0 ? `${minutes} m ${seconds} s` : `${seconds} s`;
}
