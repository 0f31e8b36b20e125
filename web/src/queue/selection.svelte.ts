// Which jobs are selected, by id: the selection survives what moves and what is scrolled out of sight.
import { SvelteMap } from 'svelte/reactivity';
import type { Job } from '@/api/types';

const deciding = ['status', 'phase', 'held', 'not_before', 'position', 'priority'] as const;

export class Selection {
  private chosen = new SvelteMap<number, Job>();
  private anchor: number | null = null; // index of the last one chosen, for ranges

  get size(): number {
    return this.chosen.size;
  }
  get jobs(): Job[] {
    return [...this.chosen.values()];
  }
  has(id: number): boolean {
    return this.chosen.has(id);
  }

  toggle(job: Job, index: number): void {
    if (!this.chosen.delete(job.id)) this.chosen.set(job.id, job);
    this.anchor = index;
  }

  // From the last one that was toggled to this one, as with shift and a click.
  extend(index: number, at: (index: number) => Job | undefined): void {
    const from = this.anchor ?? index;
    for (let i = Math.min(from, index); i <= Math.max(from, index); i += 1) {
      const job = at(i);
      if (job) this.chosen.set(job.id, job);
    }
    this.anchor = index;
  }

  set(jobs: Job[]): void {
    this.chosen.clear();
    for (const job of jobs) this.chosen.set(job.id, job);
  }

  // What is known anew of a chosen job: its state decides which actions are offered.
  update(job: Job): void {
    const known = this.chosen.get(job.id);
    if (known && deciding.some((field) => known[field] !== job[field])) this.chosen.set(job.id, job);
  }

  clear(): void {
    this.chosen.clear();
    this.anchor = null;
  }
}
