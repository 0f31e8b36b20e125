// Sweeps: a job for each combination of values, as `ferry submit --sweep` has them: "10, 25, 50" or "1..8".
import type { Json, Params } from '@/api/types';
import type { Field } from './form_model';
import { faultOf } from './validate';

export const jobsMax = 1_000; // of one request

export type Sweeps = Record<string, string>; // what was typed, by the field's dotted path

// The values of one sweep, or what is wrong with it.
export function sweepValues(field: Field, typed: string): { values: Json[]; fault: null } | { values: null; fault: string } {
  const refuse = (fault: string) => ({ values: null, fault });
  const text = typed.trim();
  if (!text) return refuse('needs values: 10, 25, 50 or 1..8');
  const range = /^(-?\d+)\s*\.\.\s*(-?\d+)$/.exec(text);
  let values: Json[];
  if (range && field.kind === 'number') {
    const first = Number(range[1]);
    const last = Number(range[2]);
    if (last < first) return refuse(`${first}..${last} runs backwards`);
    if (last - first >= jobsMax) return refuse(`may have at most ${jobsMax} values`);
    values = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  } else {
    const parts = text.split(',').map((part) => part.trim());
    if (parts.some((part) => part === '')) return refuse('has an empty value between commas');
    values = parts.map((part) => valueOf(field, part));
  }
  for (const value of values) {
    const fault = faultOf(field, value);
    if (fault) return refuse(`${JSON.stringify(value)} ${fault}`);
  }
  return { values, fault: null };
}

function valueOf(field: Field, text: string): Json {
  if (field.kind === 'number') return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (field.kind === 'switch') return text === 'true' ? true : text === 'false' ? false : text;
  if (field.kind === 'choice') return field.options.find((option) => String(option) === text) ?? text;
  return text;
}

export interface Combination {
  params: Params;
  label: string; // "steps=10 seed=3", what tells it from the others
}

// All combinations; the last sweep varies fastest.
export function combinations(params: Params, sweeps: { field: Field; values: Json[] }[]): Combination[] {
  let all: Combination[] = [{ params, label: '' }];
  for (const { field, values } of sweeps)
    all = all.flatMap((one) =>
      values.map((value) => ({
        params: withValue(one.params, field.path, value),
        label: `${one.label} ${field.path.at(-1)}=${String(value)}`.trim(),
      })),
    );
  return all;
}

function withValue(params: Params, path: string[], value: Json): Params {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return { ...params, [name]: value };
  const inner = params[name];
  const object = inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? inner : {};
  return { ...params, [name]: withValue(object, rest, value) };
}
