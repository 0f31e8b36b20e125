// The newest progress of running jobs, from the event stream: finer than what lists were read with.
import { SvelteMap } from 'svelte/reactivity';
import type { Progress } from '@/api/types';
import { connection } from './connection.svelte';

const newest = new SvelteMap<number, Progress>();

connection.on('progress', ({ id, progress }) => newest.set(id, progress));
connection.on('job', ({ id, status }) => {
  if (status !== 'running') newest.delete(id);
});

export function progressOf(job: { id: number; status: string; progress: Progress }): Progress {
  return (job.status === 'running' ? newest.get(job.id) : undefined) ?? job.progress;
}
