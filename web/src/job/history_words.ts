// A line of a job's history in words.
import type { HistoryEntry, Json } from '@/api/types';

const text = (value: Json | undefined): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const after = (lead: string, value: Json | undefined): string => (text(value) ? `${lead}${text(value)}` : '');

export function historyWords({ what, detail }: HistoryEntry): string {
  switch (what) {
    case 'job_queued':
      return detail['held'] === true ? 'submitted, held' : 'submitted';
    case 'job_edited':
      return 'edited';
    case 'job_held':
      return 'held' + after(': ', detail['reason'] ?? detail['why']);
    case 'job_released':
      return 'released';
    case 'job_reordered':
      return 'moved' + after(' to position ', detail['position']);
    case 'batch_started':
      return `attempt ${text(detail['attempt'])} starts on ${text(detail['device'])}, batch ${text(detail['batch'])}`;
    case 'attempt_resumed':
      return 'continues from a checkpoint' + after(' of step ', detail['step']);
    case 'run_started':
      return 'its process runs';
    case 'run_loaded':
      return 'its model is loaded';
    case 'checkpoint_saved':
      return 'checkpoint' + after(' at step ', detail['step']) + after(': ', detail['path']);
    case 'run_warned':
      return 'warning' + after(': ', detail['message'] ?? detail['why'] ?? detail['rule']);
    case 'start_promised':
      return 'a start was promised';
    case 'attempt_ended':
      return `attempt ${text(detail['attempt'])} ended`.replace('  ', ' ') + after(': ', detail['how']) + after(', ', detail['message']);
    case 'batch_requeued':
      return 'queued again';
    case 'job_finished': {
      const message = text(detail['message']);
      return text(detail['state'] ?? detail['status']) + (message ? `: ${message}` : '');
    }
    case 'job_retried':
      return 'retried';
    case 'jobs_cleared':
      return 'cleared from the lists';
    default:
      return what.replaceAll('_', ' ');
  }
}
