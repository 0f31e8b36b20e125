// What can be done to jobs: which action fits which state, and doing it to one or many.
import { asApiError } from '@/api/client';
import * as routes from '@/api/routes';
import type { Job, Session } from '@/api/types';
import { plural } from '@/format/quantity';
import { connection } from '@/live/connection.svelte';
import { mayChange } from '@/live/rights';
import type { IconName } from '@/parts/icons';
import { say, sayError } from '@/parts/toasts.svelte';

export type ActionName = 'top' | 'hold' | 'release' | 'suspend' | 'cancel' | 'resume';

export interface Action {
  name: ActionName;
  text: string;
  done: string; // "12 jobs cancelled"
  icon: IconName;
  fits: (job: Job) => boolean;
  perform: (job: Job) => Promise<unknown>;
}

const isHeldBack = (job: Job) => job.held || job.not_before !== null || (job.position === null && job.needs.length > 0);

export const actions: Record<ActionName, Action> = {
  top: {
    name: 'top',
    text: 'Move to top',
    done: 'moved to the top',
    icon: 'top',
    fits: (job) => job.status === 'queued' && job.position !== null && job.position > 1,
    perform: ({ id }) => routes.moveJob(id, 'top'),
  },
  hold: {
    name: 'hold',
    text: 'Hold',
    done: 'held',
    icon: 'pause',
    fits: (job) => job.status === 'queued' && !job.held,
    perform: ({ id }) => routes.holdJob(id),
  },
  release: {
    name: 'release',
    text: 'Release',
    done: 'released',
    icon: 'play',
    fits: (job) => job.status === 'queued' && isHeldBack(job),
    perform: ({ id }) => routes.releaseJob(id),
  },
  suspend: {
    name: 'suspend',
    text: 'Suspend',
    done: 'suspended',
    icon: 'pause',
    fits: (job) => job.status === 'running' && job.phase !== 'stopping',
    perform: ({ id }) => routes.suspendJob(id),
  },
  cancel: {
    name: 'cancel',
    text: 'Cancel',
    done: 'cancelled',
    icon: 'close',
    fits: (job) => job.status === 'queued' || job.status === 'running',
    // One that was only waiting when it was chosen is not killed by mistake.
    perform: ({ id, status }) => routes.cancelJob(id, status === 'queued' ? 'queued' : undefined),
  },
  resume: {
    name: 'resume',
    text: 'Retry',
    done: 'queued again',
    icon: 'retry',
    fits: (job) => job.status === 'failed' || job.status === 'cancelled',
    perform: ({ id }) => routes.resumeJob(id),
  },
};

export const actionsFor = (job: Job, who: Session | null): Action[] =>
  mayChange(who, job) ? Object.values(actions).filter((action) => action.fits(job)) : [];

const atOnce = 4;

// Does it to all jobs that it fits, and says what came of it. Returns those that were to be cancelled while they waited, but
// have started since: they run on, and it has to be asked again.
export async function performOn(name: ActionName, jobs: Job[]): Promise<Job[]> {
  const action = actions[name];
  // To the top one after the other, the last first, so that they keep their order.
  const fitting = jobs.filter((job) => action.fits(job) && mayChange(connection.session, job));
  const waiting = name === 'top' ? fitting : fitting.reverse();
  const failures: { id: number; why: string }[] = [];
  const started: Job[] = [];
  const total = waiting.length;
  const work = async () => {
    for (let job = waiting.pop(); job; job = waiting.pop()) {
      try {
        await action.perform(job);
      } catch (thrown) {
        const error = asApiError(thrown);
        const now = name === 'cancel' && job.status === 'queued' && error.code === 'conflict' ? await routes.readJob(job.id).catch(() => null) : null;
        if (now?.status === 'running') started.push(now);
        else failures.push({ id: job.id, why: error.message });
      }
    }
  };
  await Promise.all(Array.from({ length: name === 'top' ? 1 : atOnce }, work));
  connection.changed();
  const done = total - failures.length - started.length;
  const one = jobs.length === 1 ? `Job ${jobs[0]?.id}` : plural(done, 'job');
  if (done > 0) say(`${one} ${action.done}`);
  const first = failures[0];
  if (first) sayError(`${plural(failures.length, 'job')} not ${action.done}`, `job ${first.id}: ${first.why}`);
  return started;
}
