// A dry run's changes in words: who starts earlier, who later, and by how much.
import type { Change } from '@/api/types';
import { formatDuration } from '@/format/duration';

export interface ChangeLine {
  job: number;
  place: string; // "2 → 1"
  words: string; // "0:12 earlier"
  direction: -1 | 0 | 1;
}

export function changeLine(change: Change): ChangeLine {
  const { before, after } = change;
  const place = before.position === after.position ? '' : `${before.position ?? '–'} → ${after.position ?? '–'}`;
  if (!before.start || !after.start) return { job: change.job, place, words: '', direction: 0 };
  const seconds = (Date.parse(after.start) - Date.parse(before.start)) / 1_000;
  if (Math.abs(seconds) < 1) return { job: change.job, place, words: 'same start', direction: 0 };
  const direction = seconds < 0 ? -1 : 1;
  return { job: change.job, place, words: `${formatDuration(Math.abs(seconds))} ${direction < 0 ? 'earlier' : 'later'}`, direction };
}

// The moved job first, then those whose start changes most.
export function orderedChanges(changes: Change[], moved: number): ChangeLine[] {
  const weight = (change: Change) =>
    change.before.start && change.after.start ? Math.abs(Date.parse(change.after.start) - Date.parse(change.before.start)) : 0;
  return [...changes]
    .sort((a, b) => Number(b.job === moved) - Number(a.job === moved) || weight(b) - weight(a))
    .map(changeLine);
}
