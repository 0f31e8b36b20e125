import { fieldsOf, leavesOf, type Field } from '@/submit/form_model';
import { unreadable } from '@/submit/form_values';
import { faultOf, problemsByField } from '@/submit/validate';
import type { Schema } from '@/api/types';

function field(schema: Schema, required = false): Field {
  const made = fieldsOf({ properties: { it: schema }, required: required ? ['it'] : [] })[0];
  if (!made) throw new Error('no field');
  return made;
}

describe('a value that does not fit its field', () => {
  it('is told by the bound that it breaks', () => {
    const steps = field({ type: 'integer', minimum: 1, maximum: 10 });
    expect(faultOf(steps, 5)).toBeNull();
    expect(faultOf(steps, 0)).toBe('must be at least 1');
    expect(faultOf(steps, 11)).toBe('must be at most 10');
    expect(faultOf(steps, 1.5)).toBe('must be a whole number');
    expect(faultOf(steps, 'ten')).toBe('must be a number');
    const rate = field({ type: 'number', exclusiveMinimum: 0, maximum: 1 });
    expect(faultOf(rate, 0)).toBe('must be more than 0');
    expect(faultOf(rate, 1)).toBeNull();
  });
  it('may be absent unless it is required', () => {
    expect(faultOf(field({ type: 'string' }), undefined)).toBeNull();
    expect(faultOf(field({ type: 'string' }, true), '')).toBe('is required');
    expect(faultOf(field({ type: 'array', items: { type: 'string' }, minItems: 1 }, true), [])).toBe('is required');
  });
  it('is text of the wrong form', () => {
    const source = field({ type: 'string', format: 'job-result', pattern: '^(/.+|job:[1-9][0-9]*)$' });
    expect(faultOf(source, 'china.jpg')).toBe('must be an absolute path, or job:ID for the result of a job');
    expect(faultOf(source, 'job:4')).toBeNull();
    expect(faultOf(field({ type: 'string', maxLength: 3 }), 'four')).toBe('may have at most 3 characters');
  });
  it('is an entry twice, another choice, or no JSON', () => {
    expect(faultOf(field({ type: 'array', items: { type: 'string' }, uniqueItems: true }), ['a', 'a'])).toBe('has an entry twice');
    expect(faultOf(field({ enum: [2, 3] }), 9)).toBe('must be one of 2, 3');
    expect(faultOf(field({}), unreadable + '{')).toBe('is not valid JSON');
  });
});

it('problems that the daemon names go to their fields, the others stay together', () => {
  const fields = leavesOf(fieldsOf({ properties: { scale: { type: 'integer' }, weights: { type: 'object', properties: { vis: { type: 'number' } } }, ids: { type: 'array', items: { type: 'string' } } } }));
  const problem = (where: string, what: string) => ({ where, what, hint: '' });
  const { by, others } = problemsByField(
    [problem('/params/scale', 'a'), problem('/jobs/3/params/weights/vis', 'b'), problem('/params/ids/2', 'c'), problem('/priority', 'd')],
    fields,
  );
  expect(by).toEqual({ scale: 'a', 'weights.vis': 'b', ids: 'c' });
  expect(others).toEqual([problem('/priority', 'd')]);
});
