import type { Job } from '@/api/types';
import { lanesOf } from '@/devices/schedule';
import { withoutCommonFolder } from '@/datasets/dropped';
import { barsOf } from '@/analytics/buckets';
import { railAt, togetherBy } from '@/queue/batch_mates';
import { changeLine, orderedChanges } from '@/queue/changes';
import { clearingOf, matches, readFilters } from '@/queue/filters';
import { matchRoute } from '@/router/routes';

const job = (id: number, more: Partial<Job> = {}) => ({ id, name: '', type: 'train', status: 'queued', held: false, user: null, group: null, ...more }) as Job;
const batch = (jobs: number[], more = {}) => ({ batch: 1, type: 'train', device: 'cpu', jobs, loads_model: false, expected_end: null, ...more });

describe('batch mates', () => {
  const by = togetherBy({ running: [batch([1])], next: [batch([4, 5, 6])], is_whole: true });
  it('have a rail from the first to the last of them', () => {
    const rows = [job(1), job(4), job(5), job(6), job(9)];
    expect(rows.map((one, i) => railAt(one, rows[i - 1], rows[i + 1], by))).toEqual(['none', 'first', 'middle', 'last', 'none']);
  });
  it('that stand apart have one each', () => {
    expect(railAt(job(4), job(1), job(9), by)).toBe('only');
  });
});

describe('a preview of changes', () => {
  const place = (position: number, second: number | null) => ({ position, start: second === null ? null : new Date(second * 1_000).toISOString() });
  it('says who starts earlier and who later', () => {
    expect(changeLine({ job: 4, before: place(2, 80), after: place(1, 68) })).toEqual({ job: 4, place: '2 → 1', words: '0:12 earlier', direction: -1 });
    expect(changeLine({ job: 4, before: place(2, null), after: place(1, 68) }).words).toBe('');
  });
  it('has the moved job first, then the largest changes', () => {
    const change = (id: number, by: number) => ({ job: id, before: place(1, 100), after: place(2, 100 + by) });
    expect(orderedChanges([change(1, 5), change(2, -50), change(3, 1)], 3).map((line) => line.job)).toEqual([3, 2, 1]);
  });
});

describe('filters', () => {
  const filters = (search: string) => readFilters(new URLSearchParams(search));
  it('find by number, name, type, user and group', () => {
    const cats = job(42, { name: 'Cats LoRA', user: 'ada', group: 'night' });
    for (const text of ['42', '#42', 'lora', 'train', 'ADA', 'night']) expect(matches(cats, filters(`find=${encodeURIComponent(text)}`))).toBe(true);
    expect(matches(cats, filters('find=4'))).toBe(false);
    expect(matches(cats, filters('type=upscale'))).toBe(false);
  });
  it('tell held from queued', () => {
    expect(matches(job(1, { held: true }), filters('status=held'))).toBe(true);
    expect(matches(job(1, { held: true }), filters('status=queued'))).toBe(false);
  });
  it('pass over a status of the other view', () => {
    expect(filters('view=finished&status=running').status).toBe('');
  });
});

it('addresses name pages', () => {
  expect(matchRoute('/')).toEqual({ page: 'queue' });
  expect(matchRoute('/jobs/42')).toEqual({ page: 'job', id: 42 });
  expect(matchRoute('/submit/up%20scale')).toEqual({ page: 'submit', type: 'up scale' });
  for (const odd of ['/jobs/x', '/jobs/0', '/nothing', '/queue/1', '/devices/1/2']) expect(matchRoute(odd)).toEqual({ page: 'unknown' });
});

describe('the schedule', () => {
  const now = 1_000_000_000_000;
  const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
  it('packs batches into lanes that do not overlap and cuts them at the hour', () => {
    const [cpu] = lanesOf(
      {
        running: [batch([1], { expected_end: at(10) }), batch([2], { expected_end: null })],
        next: [batch([3], { expected_start: at(10), expected_end: at(90) }), batch([4], { expected_start: at(61), expected_end: at(62) })],
        is_whole: true,
      },
      now,
      3_600_000,
    );
    expect(cpu?.lanes.map((lane) => lane.map((block) => block.batch.jobs[0]))).toEqual([[1, 3], [2]]);
    expect(cpu?.lanes[0]?.[1]).toMatchObject({ open: true, planned: true, to: now + 3_600_000 });
  });
});

it('bars stand for every bucket, also where nothing happened', () => {
  const row = { start: '2026-01-01T02:00:00Z', type: 'a', submitted: 1, started: 3, completed: 2, failed: 1, cancelled: 0, wait_p50_seconds: 3, wait_p90_seconds: 9, device_seconds: 1 };
  const bars = barsOf({ bucket: 'hour', from: '2026-01-01T00:00:00Z', rows: [row, { ...row, type: 'b', wait_p50_seconds: 5 }], is_whole: true }, '', Date.parse('2026-01-01T03:30:00Z'));
  expect(bars.map((bar) => [bar.completed, bar.failed, bar.waitP50])).toEqual([[0, 0, null], [0, 0, null], [4, 2, 5], [0, 0, null]]);
});

it('a dropped folder gives its content; hidden files stay behind', () => {
  const file = (path: string) => ({ path, file: null as unknown as File });
  expect(withoutCommonFolder([file('cats/1.png'), file('cats/more/2.png'), file('cats/.DS_Store')]).map((one) => one.path)).toEqual(['1.png', 'more/2.png']);
  expect(withoutCommonFolder([file('1.png'), file('cats/2.png')]).map((one) => one.path)).toEqual(['1.png', 'cats/2.png']);
});

describe('clearing', () => {
  it('names only what was chosen', () => {
    expect(clearingOf(['failed'], '', 0)).toEqual({ status: ['failed'] });
    expect(clearingOf(['failed', 'completed'], 'train', 86_400)).toEqual({ status: ['failed', 'completed'], types: ['train'], older_than_seconds: 86_400 });
  });
});
