import { pagesOf, rowAt, visibleRange } from '@/queue/window';

const sight = { top: 100, viewport: 800, rowHeight: 36, total: 10_000 };

describe('the window of a long list', () => {
  it('draws only what is in sight and a few rows beyond', () => {
    expect(visibleRange(sight, 0)).toEqual({ first: 0, end: 20 });
    expect(visibleRange({ ...sight, top: -36_000 }, 8)).toEqual({ first: 992, end: 1031 });
  });
  it('never leaves the list', () => {
    expect(visibleRange({ ...sight, total: 5 })).toEqual({ first: 0, end: 5 });
    expect(visibleRange({ ...sight, total: 0 })).toEqual({ first: 0, end: 0 });
    expect(visibleRange({ ...sight, top: -1_000_000 })).toEqual({ first: 10_000, end: 10_000 });
  });
  it('names the pages that it touches', () => {
    expect(pagesOf({ first: 0, end: 20 }, 100)).toEqual([0]);
    expect(pagesOf({ first: 95, end: 205 }, 100)).toEqual([0, 1, 2]);
    expect(pagesOf({ first: 100, end: 200 }, 100)).toEqual([1]);
    expect(pagesOf({ first: 7, end: 7 }, 100)).toEqual([]);
  });
  it('finds the row under a point, the nearest beyond the ends', () => {
    expect(rowAt(100, sight)).toBe(0);
    expect(rowAt(172, sight)).toBe(2);
    expect(rowAt(-50, sight)).toBe(0);
    expect(rowAt(1e9, sight)).toBe(9_999);
  });
});
