import { memoryOf } from '@/devices/memory';

const device = (memory_leased_mib: number, memory_used_mib: number | null, memory_foreign_mib: number | null = null) =>
  memoryOf({ memory_mib: 100, memory_leased_mib, memory_used_mib, memory_foreign_mib });
const parts = (...told: Parameters<typeof device>) => device(...told).parts.map(({ key, mib }) => [key, mib]);

describe('the memory of a device', () => {
  it('stands in parts that add up: in use by jobs, reserved beyond that, by others, free', () => {
    expect(parts(40, 50, 20)).toEqual([['jobs', 30], ['reserved', 10], ['others', 20], ['free', 40]]);
    expect(parts(0, 20, 20)).toEqual([['jobs', 0], ['reserved', 0], ['others', 20], ['free', 80]]);
  });
  it('tells no more than is known', () => {
    expect(parts(40, null)).toEqual([['reserved', 40], ['free', 60]]);
    expect(parts(40, null, 7)).toEqual([['reserved', 40], ['free', 60]]);
    expect(parts(40, 50)).toEqual([['used', 50], ['reserved', 0], ['free', 50]]);
    expect(parts(40, 10, null)).toEqual([['used', 10], ['reserved', 30], ['free', 60]]);
  });
  it('spans more than there is to share where more is taken', () => {
    expect(device(60, 90, 70)).toMatchObject({ whole: 130 });
    expect(parts(60, 90, 70)).toEqual([['jobs', 20], ['reserved', 40], ['others', 70], ['free', 0]]);
    expect(parts(10, 30, 40)).toEqual([['jobs', 0], ['reserved', 10], ['others', 40], ['free', 50]]);
  });
});
