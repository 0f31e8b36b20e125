// What of the queue is shown, as it stands in the address: ?view=finished&status=failed&type=upscale&find=cat
import type { Clearing, FinishedStatus, Job } from '@/api/types';
import { lookOf, type Look } from '@/parts/job_words';

export type View = 'queue' | 'finished';
export interface Filters {
  view: View;
  status: Look | '';
  type: string;
  find: string;
}

export const statusesOf: Record<View, Look[]> = {
  queue: ['running', 'queued', 'held'],
  finished: ['completed', 'failed', 'cancelled'],
};
export const finishedStatuses: FinishedStatus[] = ['completed', 'failed', 'cancelled'];

export function readFilters(fields: URLSearchParams): Filters {
  const view: View = fields.get('view') === 'finished' ? 'finished' : 'queue';
  const status = fields.get('status') as Look | null;
  return {
    view,
    status: status && statusesOf[view].includes(status) ? status : '',
    type: fields.get('type') ?? '',
    find: fields.get('find') ?? '',
  };
}

export const isNarrowed = (filters: Filters): boolean => filters.status !== '' || filters.type !== '' || filters.find.trim() !== '';

// Whether a job of the queue is shown. Text is looked for in the name, the type, the user, the group and the number.
export function matches(job: Job, filters: Filters): boolean {
  if (filters.type && job.type !== filters.type) return false;
  if (filters.status && lookOf(job) !== filters.status) return false;
  const text = filters.find.trim().toLowerCase();
  if (!text) return true;
  if (String(job.id) === text.replace(/^#/, '')) return true;
  return [job.name, job.type, job.user, job.group].some((field) => field?.toLowerCase().includes(text));
}

// Ages to choose from when finished jobs are cleared.
export const ages = [
  { seconds: 0, text: 'at any time' },
  { seconds: 3_600, text: 'more than an hour ago' },
  { seconds: 86_400, text: 'more than a day ago' },
  { seconds: 7 * 86_400, text: 'more than a week ago' },
  { seconds: 30 * 86_400, text: 'more than 30 days ago' },
];

export function clearingOf(status: FinishedStatus[], type: string, olderThanSeconds: number): Clearing {
  return { status, ...(type ? { types: [type] } : {}), ...(olderThanSeconds > 0 ? { older_than_seconds: olderThanSeconds } : {}) };
}
