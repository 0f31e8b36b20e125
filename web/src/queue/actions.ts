// What can be done to jobs: which action fits which state, and doing it to one or many.
import { asApiError } from '@/api/client';
import * as routes from '@/api/routes';
import type { Job } from '@/api/types';
import { plural } from '@/format/quantity';
import { connection } from '@/live/connection.svelte';
import type { IconName } from '@/parts/icons';
import { say, sayError } from '@/parts/toasts.svelte';

export type ActionName = 'top' | 'hold' | 'release' | 'suspend' | 'cancel' | 'resume';

export interface Action {
  name: ActionName;
  text: string;
  done: string; // "12 jobs cancelled"
  icon: IconName;
  fits: (job: Job) => boolean;
  perform: (id: number) => Promise<unknown>;
}

const isHeldBack = (job: Job) => job.held || job.not_before !== null || (job.position === null && job.needs.length > 0);

export const actions: Record<ActionName, Action> = {
  top: {
    name: 'top',
    text: 'Move to top',
    done: 'moved to the top',
    icon: 'top',
    fits: (job) => job.status === 'queued' && job.position !== null && job.position > 1,
    perform: (id) => routes.moveJob(id, 'top'),
  },
  hold: {
    name: 'hold',
    text: 'Hold',
    done: 'held',
    icon: 'pause',
    fits: (job) => job.status === 'queued' && !job.held,
    perform: routes.holdJob,
  },
  release: {
    name: 'release',
    text: 'Release',
    done: 'released',
    icon: 'play',
    fits: (job) => job.status === 'queued' && isHeldBack(job),
    perform: routes.releaseJob,
  },
  suspend: {
    name: 'suspend',
    text: 'Suspend',
    done: 'suspended',
    icon: 'pause',
    fits: (job) => job.status === 'running' && job.phase !== 'stopping',
    perform: routes.suspendJob,
  },
  cancel: {
    name: 'cancel',
    text: 'Cancel',
    done: 'cancelled',
    icon: 'close',
    fits: (job) => job.status === 'queued' || job.status === 'running',
    perform: routes.cancelJob,
  },
  resume: {
    name: 'resume',
    text: 'Retry',
    done: 'queued again',
    icon: 'retry',
    fits: (job) => job.status === 'failed' || job.status === 'cancelled',
    perform: routes.resumeJob,
  },
};

export const actionsFor = (job: Job): Action[] => Object.values(actions).filter((action) => action.fits(job));

const atOnce = 4;

// Does it to all jobs that it fits, and says what came of it.
export async function performOn(name: ActionName, jobs: Job[]): Promise<void> {
  const action = actions[name];
  // To the top one after the other, the last first, so that they keep their order.
  const waiting = name === 'top' ? jobs.filter(action.fits) : jobs.filter(action.fits).reverse();
  const failures: { id: number; why: string }[] = [];
  const total = waiting.length;
  const work = async () => {
    for (let job = waiting.pop(); job; job = waiting.pop()) {
      try {
        await action.perform(job.id);
      } catch (thrown) {
        failures.push({ id: job.id, why: asApiError(thrown).message });
      }
    }
  };
  await Promise.all(Array.from({ length: name === 'top' ? 1 : atOnce }, work));
  connection.changed();
  const done = total - failures.length;
  const one = jobs.length === 1 ? `Job ${jobs[0]?.id}` : plural(done, 'job');
  if (done > 0) say(`${one} ${action.done}`);
  const first = failures[0];
  if (first) sayError(`${plural(failures.length, 'job')} not ${action.done}`, `job ${first.id}: ${first.why}`);
}
