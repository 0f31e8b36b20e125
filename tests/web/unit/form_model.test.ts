import type { Schema } from '@/api/types';
import { fieldsOf, leavesOf, requiredBy } from '@/submit/form_model';
import { initialValues, paramsOf, valuesFrom } from '@/submit/form_values';

const inference: Schema = {
  type: 'object',
  required: ['prompt_ids'],
  properties: {
    guidance_scale: { type: 'number', minimum: 0, maximum: 100, default: 4, description: 'how closely the prompt is followed' },
    negative_prompt: { type: 'string', maxLength: 10_000, default: '' },
    num_steps: { type: 'integer', minimum: 1, maximum: 1000, default: 25 },
    output: { type: 'string' },
    prompt_ids: { type: 'array', items: { type: 'string' }, minItems: 1, uniqueItems: true },
    scale: { enum: [2, 4], default: 2 },
    weights: {
      type: 'object',
      default: { vis: 0.25, edge: 0.25 },
      properties: { vis: { type: 'number', minimum: 0, maximum: 1, default: 0 }, edge: { type: 'number', minimum: 0, maximum: 1, default: 0 } },
    },
  },
};

describe('a form made from a schema', () => {
  const fields = fieldsOf(inference);
  const by = (key: string) => leavesOf(fields).find((field) => field.key === key);

  it('has the required fields first, groups and what may stay empty last', () => {
    expect(fields.map((field) => field.key)).toEqual(['prompt_ids', 'guidance_scale', 'negative_prompt', 'num_steps', 'scale', 'weights', 'output']);
  });
  it('has them in the order in which they are written, where the daemon tells it', () => {
    const weights: Schema = { ...inference.properties?.['weights'], 'x-order': ['edge', 'vis'] };
    const schema: Schema = { ...inference, properties: { ...inference.properties, weights }, 'x-order': ['scale', 'weights', 'prompt_ids'] };
    expect(leavesOf(fieldsOf(schema)).map((field) => field.key)).toEqual(
      ['scale', 'weights.edge', 'weights.vis', 'prompt_ids', 'guidance_scale', 'negative_prompt', 'num_steps', 'output'],
    );
  });
  it('knows what kind of field each property needs', () => {
    expect(leavesOf(fields).map((field) => [field.key, field.kind])).toEqual([
      ['prompt_ids', 'list'],
      ['guidance_scale', 'number'],
      ['negative_prompt', 'text'],
      ['num_steps', 'number'],
      ['scale', 'choice'],
      ['weights.vis', 'number'],
      ['weights.edge', 'number'],
      ['output', 'text'],
    ]);
    expect(by('negative_prompt')).toMatchObject({ long: true });
    expect(by('num_steps')).toMatchObject({ label: 'Num steps', integer: true, min: 1, max: 1000, initial: 25 });
  });
  it('takes the default of an object before those of its members', () => {
    expect(by('weights.vis')?.initial).toBe(0.25);
  });
  it('sends only what differs from the defaults, but an object whole', () => {
    const values = initialValues(fields);
    expect(paramsOf(fields, values)).toEqual({});
    values['prompt_ids'] = ['ps_1'];
    values['num_steps'] = 30;
    values['weights.vis'] = 0.5;
    expect(paramsOf(fields, values)).toEqual({ prompt_ids: ['ps_1'], num_steps: 30, weights: { vis: 0.5, edge: 0.25 } });
  });
  it('sends an object whole when one of its members is swept', () => {
    expect(paramsOf(fields, initialValues(fields), new Set(['weights.vis']))).toEqual({ weights: { vis: 0.25, edge: 0.25 } });
  });
  it('fills itself from the parameters of another job', () => {
    const params = { prompt_ids: ['a'], num_steps: 10, weights: { vis: 1, edge: 0 } };
    const values = valuesFrom(fields, params);
    expect(values['guidance_scale']).toBe(4);
    expect(paramsOf(fields, values)).toEqual(params);
  });
  it('reads if, then and else for what is required', () => {
    const schema: Schema = {
      properties: { stage: { enum: ['base', 'lora'], default: 'lora' }, base_model: { type: 'string' } },
      if: { properties: { stage: { const: 'base' } } },
      else: { required: ['base_model'] },
    };
    expect(requiredBy(schema, {})).toEqual(['base_model']);
    expect(requiredBy(schema, { stage: 'base' })).toEqual([]);
  });
  it('leaves what it cannot show to JSON, and stands an empty schema', () => {
    expect(fieldsOf({ properties: { anything: {} } })[0]?.kind).toBe('json');
    expect(fieldsOf({})).toEqual([]);
  });
});
