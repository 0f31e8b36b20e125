import { fieldsOf, leavesOf } from '@/submit/form_model';
import { combinations, sweepValues } from '@/submit/sweep';

const fields = leavesOf(
  fieldsOf({
    properties: {
      steps: { type: 'integer', minimum: 1, maximum: 100 },
      seed: { type: 'integer' },
      sampler: { enum: ['euler', 'ddim'] },
      weights: { type: 'object', properties: { vis: { type: 'number' } } },
    },
  }),
);
const named = (key: string) => {
  const field = fields.find((one) => one.key === key);
  if (!field) throw new Error(key);
  return field;
};

describe('a sweep', () => {
  it('is a list or a range', () => {
    expect(sweepValues(named('steps'), '10, 25,50').values).toEqual([10, 25, 50]);
    expect(sweepValues(named('seed'), '-2..1').values).toEqual([-2, -1, 0, 1]);
    expect(sweepValues(named('sampler'), 'euler,ddim').values).toEqual(['euler', 'ddim']);
  });
  it('is refused with its reason', () => {
    expect(sweepValues(named('steps'), '10, 250').fault).toBe('250 must be at most 100');
    expect(sweepValues(named('steps'), '10,,20').fault).toBe('has an empty value between commas');
    expect(sweepValues(named('seed'), '5..1').fault).toBe('5..1 runs backwards');
    expect(sweepValues(named('seed'), '1..1001').fault).toBe('may have at most 1000 values');
    expect(sweepValues(named('seed'), '1..1000').values).toHaveLength(1000);
    expect(sweepValues(named('seed'), ' ').fault).toContain('needs values');
  });
  it('makes a job for each combination, the last varying fastest', () => {
    const all = combinations({ model: 'a', weights: { edge: 1 } }, [
      { field: named('steps'), values: [10, 25] },
      { field: named('weights.vis'), values: [0, 0.5] },
    ]);
    expect(all.map((one) => one.label)).toEqual(['steps=10 vis=0', 'steps=10 vis=0.5', 'steps=25 vis=0', 'steps=25 vis=0.5']);
    expect(all[3]?.params).toEqual({ model: 'a', steps: 25, weights: { edge: 1, vis: 0.5 } });
    expect(combinations({ a: 1 }, [])).toEqual([{ params: { a: 1 }, label: '' }]);
  });
});
