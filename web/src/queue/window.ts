// Which rows of a long list are drawn: those in sight and a few beyond. Pure arithmetic in CSS pixels.
export interface Range {
  first: number; // index of the first row
  end: number; // one past the last
}

export interface Sight {
  top: number; // of the list, relative to the viewport: negative once scrolled past
  viewport: number; // height
  rowHeight: number;
  total: number;
}

export function visibleRange(sight: Sight, beyond = 8): Range {
  const { top, viewport, rowHeight, total } = sight;
  const first = Math.floor(-top / rowHeight) - beyond;
  const end = Math.ceil((viewport - top) / rowHeight) + beyond;
  const clamp = (index: number) => Math.min(Math.max(index, 0), total);
  return { first: clamp(first), end: clamp(end) };
}

// The pages of so many rows that a range touches.
export function pagesOf(range: Range, pageSize: number): number[] {
  if (range.end <= range.first) return [];
  const pages: number[] = [];
  for (let page = Math.floor(range.first / pageSize); page * pageSize < range.end; page += 1) pages.push(page);
  return pages;
}

// Which row a point is over; beyond the ends, the nearest.
export function rowAt(y: number, sight: Sight): number {
  return Math.min(Math.max(Math.floor((y - sight.top) / sight.rowHeight), 0), Math.max(sight.total - 1, 0));
}
