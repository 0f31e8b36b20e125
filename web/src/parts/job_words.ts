// How a job's state is said, in one place for the table, the job's page and notifications.
import type { Items, Job } from '@/api/types';

// What its mark and colour follow: a held job is queued, but nothing will start it.
export type Look = 'queued' | 'held' | 'running' | 'completed' | 'failed' | 'cancelled';

export function lookOf(job: Pick<Job, 'status' | 'held'>): Look {
  return job.status === 'queued' && job.held ? 'held' : job.status;
}

// Words for the status column; phases of a running job that are over quickly stand in its place.
export function statusWords(job: Pick<Job, 'status' | 'held' | 'phase'>): string {
  if (job.status === 'queued' && job.held) return 'held';
  if (job.status === 'running' && job.phase && job.phase !== 'running') return job.phase;
  return job.status;
}

// Of a job that runs in parts.
export const itemsWords = (items: Items | null): string => (items ? `${items.done} of ${items.total} items` : '');

export const titleOf = (job: Pick<Job, 'id' | 'name' | 'type'>): string => job.name || `${job.type} ${job.id}`;

export const isOver = (job: Pick<Job, 'status'>): boolean => job.status !== 'queued' && job.status !== 'running';
