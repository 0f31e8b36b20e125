// Which jobs run together, or would: what the table draws a rail beside.
import type { Batches, Job } from '@/api/types';

export interface Together {
  key: string; // of the batch
  planned: boolean; // not yet running
  mates: number[]; // ids, itself among them
}

// By job; batches of one are left out.
export function togetherBy(batches: Batches | null): Map<number, Together> {
  const by = new Map<number, Together>();
  if (!batches) return by;
  const add = (key: string, planned: boolean, mates: number[]) => {
    if (mates.length > 1) for (const id of mates) by.set(id, { key, planned, mates });
  };
  for (const batch of batches.running) add(`batch ${batch.batch}`, false, batch.jobs);
  batches.next.forEach((batch, index) => add(`next ${index}`, true, batch.jobs));
  return by;
}

export type Rail = 'none' | 'only' | 'first' | 'middle' | 'last';

// How the rail runs at one row, between those above and below it.
export function railAt(job: Job, above: Job | undefined, below: Job | undefined, by: Map<number, Together>): Rail {
  const key = by.get(job.id)?.key;
  if (!key) return 'none';
  const up = above !== undefined && by.get(above.id)?.key === key;
  const down = below !== undefined && by.get(below.id)?.key === key;
  return up ? (down ? 'middle' : 'last') : down ? 'first' : 'only';
}
