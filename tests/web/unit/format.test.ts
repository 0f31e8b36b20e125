import { formatAhead, formatDuration, formatStart } from '@/format/duration';
import { formatBytes, formatNumber, plural } from '@/format/quantity';

const now = Date.parse('2026-01-31T12:00:00Z');
const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString();

it('lengths of time read as `ferry queue` writes them', () => {
  expect([0, 45, 730, 7_500, 100_000, -3].map(formatDuration)).toEqual(['0:00', '0:45', '12:10', '2:05:00', '1d 3h', '0:00']);
});
it('a start is told with its uncertainty', () => {
  expect(formatAhead(at(80), now)).toBe('in 1:20');
  expect(formatAhead(at(-5), now)).toBe('now');
  expect(formatStart(at(80), at(130), now)).toBe('in 1:20 – 2:10');
  expect(formatStart(at(80), at(80), now)).toBe('in 1:20');
  expect(formatStart(at(-5), at(30), now)).toBe('by 0:30');
  expect(formatStart(at(80), null, now)).toBe('in 1:20');
});
it('sizes and numbers are short', () => {
  expect([0, 1023, 1536, 24_105 * 2 ** 20].map(formatBytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '23.5 GiB']);
  expect([0, 2e-4, 1e-5, 1234567, 0.0988612].map(formatNumber)).toEqual(['0', '0.0002', '1e-5', '1,234,567', '0.09886']);
  expect([plural(1, 'job'), plural(1200, 'job')]).toEqual(['1 job', '1,200 jobs']);
});
