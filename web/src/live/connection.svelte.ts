// What the page knows of the daemon right now, and who is told when that changes. One connection a page: the event stream
// where the daemon has one, else a question every two seconds; reconnects by itself.
import { asApiError } from '@/api/client';
import { readSession, readStatus } from '@/api/routes';
import type { AllCounts, EventName, Events, Session } from '@/api/types';
import { backoff } from './backoff';
import { readEvents } from './stream';

export type Reach = 'connecting' | 'live' | 'polling' | 'away' | 'no_access';
type Listener<N extends EventName> = (data: Events[N]) => void;

const pollEvery = 2_000;
const hiddenMax = 60_000; // ms
const forecastsEvery = 15_000; // expected starts drift without an event

class Connection {
  reach = $state<Reach>('connecting');
  paused = $state(false);
  counts = $state.raw<AllCounts | null>(null);
  version = $state('');
  session = $state.raw<Session | null>(null); // null: not known, as of a daemon without roles
  awaySince = $state<number | null>(null);

  private listeners = new Map<string, Set<(data: never) => void>>();
  private changeListeners = new Set<() => void>();
  private lastEventId: string | null = null;
  private tryNow = () => {};
  private stopped = new AbortController();
  private stream = new AbortController();
  // A page out of sight gives its stream back after a while: browsers open only six connections to one address, over all
  // tabs. Whoever has to hear of events all the same (notifications) sets this.
  keepsListening = () => false;

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const all = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, all);
    all.add(listener as (data: never) => void);
    return () => all.delete(listener as (data: never) => void);
  }

  // Told whenever what is shown may be out of date.
  onChange(listener: () => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  // The page did something itself and does not wait for the event of it.
  changed(): void {
    for (const listener of this.changeListeners) listener();
  }

  retryNow(): void {
    this.tryNow();
  }

  start(): () => void {
    this.stopped = new AbortController();
    let hidden: ReturnType<typeof setTimeout> | undefined;
    const wake = () => {
      clearTimeout(hidden);
      if (document.visibilityState === 'visible') this.tryNow();
      else hidden = setTimeout(() => !this.keepsListening() && this.stream.abort(), hiddenMax);
    };
    document.addEventListener('visibilitychange', wake);
    window.addEventListener('online', this.retryNow.bind(this));
    void this.run(this.stopped.signal);
    const drift = setInterval(() => this.reach === 'live' && document.visibilityState === 'visible' && this.changed(), forecastsEvery);
    return () => {
      clearInterval(drift);
      document.removeEventListener('visibilitychange', wake);
      this.stopped.abort();
    };
  }

  private async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let hasStream = true;
    while (!signal.aborted) {
      try {
        await this.readStatusOnce(signal);
        failures = 0;
        if (hasStream) {
          await this.followStream(signal);
          if (this.stream.signal.aborted) await this.pause(24 * 3_600_000, signal); // until the page is in sight again
          continue; // ended by the daemon: at once again, and away if nobody is there
        }
        this.reached('polling');
        this.changed();
        await this.pause(pollEvery, signal);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = asApiError(thrown);
        if (error.kind === 'not_available') {
          hasStream = false;
          continue;
        }
        hasStream = true;
        this.lost(error.kind === 'no_access' ? 'no_access' : 'away');
        await this.pause(backoff(failures++), signal);
      }
    }
  }

  private async readStatusOnce(signal: AbortSignal): Promise<void> {
    const status = await readStatus(AbortSignal.any ? AbortSignal.any([signal, AbortSignal.timeout(10_000)]) : signal);
    this.version = status.version;
    this.paused = status.paused;
    this.counts = status.counts;
    // Who one is changes at most with the connection.
    if (this.reach !== 'polling') this.session = await readSession(signal).catch(() => null);
  }

  private async followStream(signal: AbortSignal): Promise<void> {
    const mine = (this.stream = new AbortController());
    const stop = () => mine.abort();
    signal.addEventListener('abort', stop);
    try {
      await readEvents(
        { last_event_id: this.lastEventId },
        (name, data, id) => {
          if (id) this.lastEventId = id;
          this.receive(name, data);
        },
        mine.signal,
      );
    } catch (thrown) {
      if (!mine.signal.aborted) throw thrown;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private receive<N extends EventName>(name: N, data: Events[N]): void {
    if (name === 'hello') {
      const hello = data as Events['hello'];
      this.reached('live');
      if (!hello.resumed) this.changed();
    } else if (name === 'queue') {
      const queue = data as Events['queue'];
      this.paused = queue.paused;
      this.counts = queue.counts;
      this.changed();
    } else if (name === 'resync') {
      this.changed();
    }
    for (const listener of this.listeners.get(name) ?? []) listener(data as never);
  }

  private reached(how: Reach): void {
    const wasAway = this.reach === 'away' || this.reach === 'no_access';
    this.reach = how;
    this.awaySince = null;
    if (wasAway) this.changed();
  }

  private lost(how: Reach): void {
    if (this.reach !== how && how === 'away') this.awaySince = Date.now();
    this.reach = how;
  }

  private pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.tryNow = () => {};
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal.addEventListener('abort', end);
      this.tryNow = end;
    });
  }
}

export const connection = new Connection();
