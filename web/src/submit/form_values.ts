// What stands in the fields, by dotted path, and the parameters that it makes.
import type { Json, Params } from '@/api/types';
import { leavesOf, type Field } from './form_model';

// undefined: empty. A text where a number is wanted is what was typed and cannot be read.
export type Values = Record<string, Json | undefined>;

// In front of typed text that is not the JSON it should be.
export const unreadable = '\u0000';

export function initialValues(fields: Field[]): Values {
  return Object.fromEntries(leavesOf(fields).map((field) => [field.key, field.initial]));
}

// The values of a job that was submitted before.
export function valuesFrom(fields: Field[], params: Params): Values {
  return Object.fromEntries(leavesOf(fields).map((field) => [field.key, at(params, field.path) ?? field.initial]));
}

export function at(params: Json | undefined, path: string[]): Json | undefined {
  let value = params;
  for (const name of path) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    value = value[name];
  }
  return value;
}

const same = (a: Json | undefined, b: Json | undefined) => JSON.stringify(a) === JSON.stringify(b);
const isEmpty = (value: Json | undefined) => value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

// Only what differs from the defaults is sent; an object of which a member differs, or is swept, is sent whole.
export function paramsOf(fields: Field[], values: Values, swept: ReadonlySet<string> = new Set()): Params {
  const params: Params = {};
  for (const field of fields) {
    const name = field.path.at(-1) ?? '';
    if (field.kind === 'group') {
      const changed = leavesOf(field.fields).some((leaf) => swept.has(leaf.key) || !same(values[leaf.key], leaf.initial));
      if (!changed && !field.required) continue;
      const inner: Params = {};
      for (const leaf of field.fields) Object.assign(inner, paramsWhole(leaf, values));
      params[name] = inner;
    } else {
      const value = values[field.key];
      if (field.required ? value !== undefined && value !== '' : !same(value, field.initial) && !(isEmpty(value) && isEmpty(field.initial)))
        if (value !== undefined) params[name] = value;
    }
  }
  return params;
}

function paramsWhole(field: Field, values: Values): Params {
  const name = field.path.at(-1) ?? '';
  if (field.kind === 'group') return { [name]: Object.assign({}, ...field.fields.map((one) => paramsWhole(one, values))) as Params };
  const value = values[field.key];
  return value === undefined ? {} : { [name]: value };
}
