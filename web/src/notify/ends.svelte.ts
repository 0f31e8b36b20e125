// A notification of the browser when a job ends, where the user has asked for it and the browser allows it.
import type { Events, JobStatus } from '@/api/types';
import { readJobs } from '@/api/routes';
import { connection } from '@/live/connection.svelte';
import { titleOf } from '@/parts/job_words';
import { router } from '@/router/router.svelte';

const key = 'ferry.notify';
const ended: JobStatus[] = ['completed', 'failed', 'cancelled'];

class Notify {
  readonly supported = typeof Notification !== 'undefined';
  permission = $state<NotificationPermission>(this.supported ? Notification.permission : 'denied');
  private wanted = $state(localStorage.getItem(key) === 'yes');

  get on(): boolean {
    return this.wanted && this.permission === 'granted';
  }

  // Asks the browser the first time.
  async toggle(): Promise<void> {
    if (this.on) this.wanted = false;
    else {
      if (this.permission !== 'granted') this.permission = await Notification.requestPermission();
      this.wanted = this.permission === 'granted';
    }
    localStorage.setItem(key, this.wanted ? 'yes' : 'no');
  }
}
export const notify = new Notify();

type Ended = Pick<Events['job'], 'id' | 'type' | 'name' | 'status'>;

function tell(job: Ended): void {
  if (!notify.on) return;
  const shown = new Notification(`${titleOf(job)} ${job.status}`, { body: `Job ${job.id}, ${job.type}`, tag: `ferry-${job.id}`, icon: '/favicon.svg' });
  shown.onclick = () => {
    window.focus();
    router.go(`/jobs/${job.id}`);
    shown.close();
  };
}

// From events; without an event stream from comparing what has ended lately with what had ended before.
export function watchEnds(): () => void {
  connection.keepsListening = () => notify.on;
  // Events of jobs that ended long ago (cleared, renamed) are no news: only what was seen alive ends.
  const alive = new Set<number>();
  const stopJob = connection.on('job', (job) => {
    if (!ended.includes(job.status)) alive.add(job.id);
    else if (alive.delete(job.id)) tell(job);
  });

  let known: Set<number> | null = null;
  let reading = false;
  const stopPoll = connection.onChange(() => {
    if (connection.reach !== 'polling' || !notify.on || reading) return;
    reading = true;
    readJobs({ status: ended.join(','), limit: 50 })
      .then(({ jobs }) => {
        const before = known;
        known = new Set(jobs.map((job) => job.id));
        if (before) jobs.filter((job) => !before.has(job.id)).forEach(tell);
      })
      .catch(() => {})
      .finally(() => (reading = false));
  });
  return () => {
    stopJob();
    stopPoll();
  };
}
