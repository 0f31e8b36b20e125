// Numbers, sizes and shares for people.

const grouped = new Intl.NumberFormat('en-US');
export const formatCount = (n: number): string => grouped.format(n);

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
export const formatMib = (mib: number): string => formatBytes(mib * 1024 * 1024);

export const formatPercent = (fraction: number): string => `${Math.round(fraction * 100)}%`;

// "1 job", "3 jobs"
export const plural = (n: number, one: string, many = one + 's'): string => `${formatCount(n)} ${n === 1 ? one : many}`;

// At most four significant digits, without an exponent where people would not write one.
export function formatNumber(n: number): string {
  if (n === 0 || !Number.isFinite(n)) return String(n);
  const size = Math.abs(n);
  if (size >= 1e7 || size < 1e-4) return n.toExponential(2).replace(/\.?0+e/, 'e').replace('e+', 'e');
  if (Number.isInteger(n)) return grouped.format(n);
  return String(Number(n.toPrecision(4)));
}
