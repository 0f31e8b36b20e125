// What is wrong with a value, said at its field before anything is sent. The daemon's word is the last one; this repeats
// the plain rules of the schema so that mistakes show at once.
import type { Json } from '@/api/types';
import type { Field, NumberField, TextField } from './form_model';
import { formatCount } from '@/format/quantity';
import { unreadable } from './form_values';

// null: nothing.
export function faultOf(field: Field, value: Json | undefined): string | null {
  const empty = value === undefined || value === '' || value === null;
  if (empty) {
    if (field.kind === 'text' && value === '' && !field.required) return null;
    return field.required ? 'is required' : null;
  }
  switch (field.kind) {
    case 'number':
      return numberFault(field, value);
    case 'text':
      return textFault(field, value);
    case 'choice':
      return field.options.some((option) => JSON.stringify(option) === JSON.stringify(value)) ? null : `must be one of ${field.options.join(', ')}`;
    case 'switch':
      return typeof value === 'boolean' ? null : 'must be true or false';
    case 'list': {
      if (!Array.isArray(value)) return 'must be a list';
      if (value.length < Math.max(field.minItems, field.required ? 1 : 0))
        return field.minItems > 1 ? `needs at least ${field.minItems} entries` : 'is required';
      if (field.maxItems !== null && value.length > field.maxItems) return `may have at most ${field.maxItems} entries`;
      if (field.numbers && value.some((one) => typeof one !== 'number')) return 'must be numbers';
      if (field.unique && new Set(value.map((one) => JSON.stringify(one))).size < value.length) return 'has an entry twice';
      return null;
    }
    case 'json':
      return typeof value === 'string' && value.startsWith(unreadable) ? 'is not valid JSON' : null;
    case 'group':
      return null;
  }
}

function numberFault(field: NumberField, value: Json): string | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number';
  if (field.integer && !Number.isInteger(value)) return 'must be a whole number';
  if (field.min !== null && (field.minOpen ? value <= field.min : value < field.min))
    return `must be ${field.minOpen ? 'more than' : 'at least'} ${plain(field.min)}`;
  if (field.max !== null && (field.maxOpen ? value >= field.max : value > field.max))
    return `must be ${field.maxOpen ? 'less than' : 'at most'} ${plain(field.max)}`;
  if (field.multipleOf !== null && Math.abs(value / field.multipleOf - Math.round(value / field.multipleOf)) > 1e-9)
    return `must be a multiple of ${plain(field.multipleOf)}`;
  return null;
}

function textFault(field: TextField, value: Json): string | null {
  if (typeof value !== 'string') return 'must be text';
  if (value.length < field.minLength) return `needs at least ${field.minLength} characters`;
  if (field.maxLength !== null && value.length > field.maxLength) return `may have at most ${formatCount(field.maxLength)} characters`;
  if (field.pattern !== null && !fits(field.pattern, value))
    return field.input ? 'must be an absolute path, or job:ID for the result of a job' : `must match ${field.pattern}`;
  return null;
}

function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true; // a pattern that only the daemon reads
  }
}

const plain = (n: number): string => (Math.abs(n) >= 1e6 ? formatCount(n) : String(n));

// The daemon's problems by field: "/params/weights/vis" and "/jobs/3/params/scale" belong to fields, the rest to nobody.
export function problemsByField(problems: { where: string; what: string; hint: string }[], fields: Field[]) {
  const keys = new Set(fields.map((field) => field.key));
  const by: Record<string, string> = {};
  const others: typeof problems = [];
  for (const problem of problems) {
    const key = problem.where.replace(/^(\/jobs\/\d+)?\/params\//, '').replaceAll('/', '.');
    const owner = keys.has(key) ? key : keys.has(key.replace(/\.\d+$/, '')) ? key.replace(/\.\d+$/, '') : null;
    if (owner && problem.where.includes('/params/')) by[owner] ??= problem.what;
    else others.push(problem);
  }
  return { by, others };
}
