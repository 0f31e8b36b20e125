// From a job type's JSON Schema to the fields of its form. What a form cannot show nicely is a field of kind `json`.
import type { Json, Schema } from '@/api/types';

interface Common {
  key: string; // the dotted path: "weights.vis"
  path: string[];
  label: string;
  help: string;
  required: boolean;
  initial: Json | undefined; // the default
}
export interface NumberField extends Common {
  kind: 'number';
  integer: boolean;
  min: number | null;
  max: number | null;
  minOpen: boolean; // the bound itself is not allowed
  maxOpen: boolean;
  multipleOf: number | null;
}
export interface TextField extends Common {
  kind: 'text';
  long: boolean;
  secret: boolean;
  input: boolean; // a path, or job:ID
  dataset: boolean;
  pattern: string | null;
  minLength: number;
  maxLength: number | null;
}
export interface ChoiceField extends Common {
  kind: 'choice';
  options: Json[];
}
export interface SwitchField extends Common {
  kind: 'switch';
}
export interface ListField extends Common {
  kind: 'list'; // of texts or numbers
  numbers: boolean;
  minItems: number;
  maxItems: number | null;
  unique: boolean;
}
export interface JsonField extends Common {
  kind: 'json';
}
export interface GroupField extends Common {
  kind: 'group';
  fields: Field[];
}
export type Field = NumberField | TextField | ChoiceField | SwitchField | ListField | JsonField | GroupField;

// In the order in which the properties are written (`x-order`), at the end what that does not name.
export function fieldsOf(schema: Schema): Field[] {
  return inOrder(makeFields(schema, [], undefined), schema['x-order'] ?? []);
}

// Every field that holds a value, those of groups too.
export function leavesOf(fields: Field[]): Field[] {
  return fields.flatMap((field) => (field.kind === 'group' ? leavesOf(field.fields) : [field]));
}

function makeFields(schema: Schema, path: string[], outer: Json | undefined): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    // The default of an object goes before those of its members.
    const given = outer !== null && typeof outer === 'object' && !Array.isArray(outer) ? outer[name] : undefined;
    return makeField(property, [...path, name], required.has(name), given ?? property.default);
  });
}

function makeField(schema: Schema, path: string[], required: boolean, initial: Json | undefined): Field {
  const name = path.at(-1) ?? '';
  const common: Common = {
    key: path.join('.'),
    path,
    label: schema.title ?? labelOf(name),
    help: schema.description ?? '',
    required,
    initial,
  };
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
  if (schema.enum) return { ...common, kind: 'choice', options: schema.enum };
  if (type === 'boolean') return { ...common, kind: 'switch' };
  if (type === 'integer' || type === 'number') return { ...common, kind: 'number', integer: type === 'integer', ...boundsOf(schema) };
  if (type === 'string') return { ...common, kind: 'text', ...textTraits(schema, name) };
  if (type === 'array' && (schema.items?.type === 'string' || schema.items?.type === 'number' || schema.items?.type === 'integer'))
    return {
      ...common,
      kind: 'list',
      numbers: schema.items.type !== 'string',
      minItems: schema.minItems ?? 0,
      maxItems: schema.maxItems ?? null,
      unique: schema.uniqueItems ?? false,
    };
  if (type === 'object' && schema.properties) return { ...common, kind: 'group', fields: written(makeFields(schema, path, initial), schema['x-order'] ?? []) };
  return { ...common, kind: 'json' };
}

function boundsOf(schema: Schema) {
  return {
    min: schema.minimum ?? schema.exclusiveMinimum ?? null,
    max: schema.maximum ?? schema.exclusiveMaximum ?? null,
    minOpen: schema.minimum === undefined && schema.exclusiveMinimum !== undefined,
    maxOpen: schema.maximum === undefined && schema.exclusiveMaximum !== undefined,
    multipleOf: schema.multipleOf ?? null,
  };
}

function textTraits(schema: Schema, name: string) {
  return {
    long: schema.format === 'multiline' || (/prompt|text|notes?$/.test(name) && (schema.maxLength ?? 0) > 500),
    secret: schema.format === 'secret' || schema.format === 'password',
    input: schema.format === 'job-result' || schema.format === 'path',
    dataset: name === 'dataset',
    pattern: schema.pattern ?? null,
    minLength: schema.minLength ?? 0,
    maxLength: schema.maxLength ?? null,
  };
}

// "learning_rate" → "Learning rate"
export function labelOf(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// Sorting is stable: what is not named stays in the order that it has.
function written(fields: Field[], names: string[]): Field[] {
  const places = new Map(names.map((name, index) => [name, index]));
  const place = (field: Field) => places.get(field.path.at(-1) ?? '') ?? names.length;
  return [...fields].sort((a, b) => place(a) - place(b));
}

// Where no order is written, properties are told by name: what is required comes first, what may well stay empty last.
function inOrder(fields: Field[], names: string[]): Field[] {
  const rank = (field: Field) => (field.required ? 0 : field.kind === 'group' ? 2 : field.initial !== undefined ? 1 : 3);
  return written([...fields].sort((a, b) => rank(a) - rank(b)), names);
}

// Names that if/then/else of the schema require beside those that are always required, for these values.
export function requiredBy(schema: Schema, params: { [key: string]: Json }): string[] {
  if (!schema.if) return [];
  const holds = Object.entries(schema.if.properties ?? {}).every(([name, wanted]) => {
    const value = params[name] ?? schema.properties?.[name]?.default;
    if (wanted.const !== undefined) return JSON.stringify(value) === JSON.stringify(wanted.const);
    if (wanted.enum) return wanted.enum.some((one) => JSON.stringify(one) === JSON.stringify(value));
    return true;
  });
  const present = (schema.if.required ?? []).every((name) => params[name] !== undefined);
  return (holds && present ? schema.then : schema.else)?.required ?? [];
}
