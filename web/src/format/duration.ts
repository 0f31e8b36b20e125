// Lengths of time and moments, in the words of `ferry queue`: 0:45, 12:10, 2:05:00, 3d 4h.

export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3_600);
  const minutes = Math.floor((whole % 3_600) / 60);
  if (days > 0) return `${days}d ${hours}h`;
  const two = (n: number) => String(n).padStart(2, '0');
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

// "in 1:20", or "now" for what is due.
export function formatAhead(at: string, now: number): string {
  const seconds = (Date.parse(at) - now) / 1_000;
  return seconds < 1 ? 'now' : `in ${formatDuration(seconds)}`;
}

// "in 1:20 – 2:10": half of such jobs start by the first, nine of ten by the second.
export function formatStart(start: string, p90: string | null, now: number): string {
  const ahead = formatAhead(start, now);
  if (!p90) return ahead;
  const late = (Date.parse(p90) - now) / 1_000;
  const early = (Date.parse(start) - now) / 1_000;
  if (late < 1 || formatDuration(late) === formatDuration(early)) return ahead;
  return ahead === 'now' ? `by ${formatDuration(late)}` : `${ahead} – ${formatDuration(late)}`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayFormat = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

// The time of day, with the date in front where it is another day.
export function formatMoment(at: string, now: number): string {
  const moment = new Date(at);
  const clock = clockFormat.format(moment);
  return moment.toDateString() === new Date(now).toDateString() ? clock : `${dayFormat.format(moment)}, ${clock}`;
}

export function secondsBetween(from: string, to: number | string): number {
  return ((typeof to === 'number' ? to : Date.parse(to)) - Date.parse(from)) / 1_000;
}
