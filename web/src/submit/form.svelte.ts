// The state of a submit form: what stands in it, what is wrong with it, and the jobs that it makes.
import type { JobType, Params, Submission, WholeJob } from '@/api/types';
import { fieldsOf, leavesOf, requiredBy, type Field } from './form_model';
import { initialValues, paramsOf, valuesFrom, type Values } from './form_values';
import { combinations, jobsMax, sweepValues, type Sweeps } from './sweep';
import { faultOf } from './validate';

export class SubmitForm {
  readonly fields: Field[];
  readonly leaves: Field[];
  values = $state<Values>({});
  sweeps = $state<Sweeps>({}); // a field that is swept has an entry
  touched = $state<Record<string, boolean>>({});
  refused = $state<Record<string, string>>({}); // by the daemon

  name = $state('');
  priority = $state(50);
  held = $state(false);
  delayMinutes = $state<number | null>(null);
  needs = $state('');
  group = $state('');
  on = $state('');

  readonly params: Params = $derived.by(() => paramsOf(this.fields, this.values, new Set(Object.keys(this.sweeps))));
  readonly also = $derived.by(() => new Set(requiredBy(this.type.parameters, this.params)));
  readonly faults: Record<string, string> = $derived.by(() => this.findFaults());
  readonly count = $derived.by(() => this.countJobs());

  constructor(readonly type: JobType) {
    this.fields = fieldsOf(type.parameters);
    this.leaves = leavesOf(this.fields);
    this.values = initialValues(this.fields);
  }

  takeFrom(job: WholeJob): void {
    this.values = valuesFrom(this.fields, job.params);
    this.name = job.name;
    this.priority = job.priority;
    this.group = job.group ?? '';
    this.on = Object.entries(job.on ?? {}).map(([label, value]) => `${label}=${value}`).join(', ');
  }

  set(field: Field, value: Values[string]): void {
    this.values[field.key] = value;
    delete this.refused[field.key];
  }
  toggleSweep(field: Field): void {
    if (field.key in this.sweeps) delete this.sweeps[field.key];
    else this.sweeps[field.key] = this.values[field.key] === undefined ? '' : String(this.values[field.key]);
  }

  // Shown only for fields that were left, so that nobody is scolded before typing.
  shownFault(field: Field): string | null {
    return this.refused[field.key] ?? (this.touched[field.key] ? (this.faults[field.key] ?? null) : null);
  }
  touchAll(): void {
    for (const field of this.leaves) this.touched[field.key] = true;
  }

  // The jobs to submit; only where there are no faults.
  submissions(): Submission[] {
    const swept = this.leaves.filter((field) => field.key in this.sweeps);
    const parts = swept.map((field) => ({ field, values: sweepValues(field, this.sweeps[field.key] ?? '').values ?? [] }));
    return combinations(structuredPlain(this.params), parts).map(({ params, label }) => {
      const one: Submission = { type: this.type.name, params };
      const name = [this.name.trim(), label].filter(Boolean).join(' · ');
      if (name) one.name = name;
      if (this.priority !== 50) one.priority = this.priority;
      if (this.held) one.held = true;
      if (this.delayMinutes) one.delay_seconds = Math.round(this.delayMinutes * 60);
      const needs = this.neededJobs();
      if (needs && needs.length > 0) one.needs = needs;
      if (this.group.trim()) one.group = this.group.trim();
      const on = this.labels();
      if (on && Object.keys(on).length > 0) one.on = on;
      return one;
    });
  }

  // null: cannot be read.
  neededJobs(): number[] | null {
    const parts = this.needs.split(/[\s,]+/).filter(Boolean);
    return parts.every((part) => /^[1-9]\d*$/.test(part)) ? parts.map(Number) : null;
  }

  // Of the devices that it may run on: "gpu=h100, node=alpha". null: cannot be read.
  labels(): Record<string, string> | null {
    const parts = this.on.split(',').map((part) => part.trim()).filter(Boolean);
    const pairs = parts.map((part) => /^([a-z][a-z0-9_-]*)\s*=\s*(.+)$/.exec(part));
    const named = pairs.flatMap((pair) => (pair?.[1] && pair[2] ? [[pair[1], pair[2]] as const] : []));
    const labels = Object.fromEntries(named);
    return named.length === parts.length && Object.keys(labels).length === parts.length ? labels : null;
  }

  private findFaults(): Record<string, string> {
    const faults: Record<string, string> = {};
    for (const field of this.leaves) {
      const typed = this.sweeps[field.key];
      const wanted = { ...field, required: field.required || this.also.has(field.key) };
      const fault = typed === undefined ? faultOf(wanted, this.values[field.key]) : sweepValues(field, typed).fault;
      if (fault) faults[field.key] = fault;
    }
    if (this.neededJobs() === null) faults[' needs'] = 'must be job numbers, such as 41, 42';
    if (this.labels() === null) faults[' on'] = 'must be labels and their values, each once, such as gpu=h100, node=alpha';
    if (this.count > jobsMax) faults[' sweep'] = `makes more than ${jobsMax} jobs`;
    return faults;
  }

  private countJobs(): number {
    return this.leaves.reduce((product, field) => {
      const typed = this.sweeps[field.key];
      return typed === undefined ? product : product * (sweepValues(field, typed).values?.length ?? 1);
    }, 1);
  }
}

// Without the proxies of the form's state. ($state.snapshot has a type that TypeScript cannot follow through Json.)
const structuredPlain = (params: Params): Params => JSON.parse(JSON.stringify(params)) as Params;
