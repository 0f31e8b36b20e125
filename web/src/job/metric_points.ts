// Points of metrics as they come with a job's progress, put into order. Pure.
import type { Progress, Series } from '@/api/types';

type Point = Series['points'][number];
export interface Addition {
  name: string;
  point: Point;
}

// "nan" and infinities are gaps in a plot.
export function pointsOf(progress: Progress, seconds: number): Addition[] {
  const step = progress.step;
  if (step === null) return [];
  return Object.entries(progress.metrics).map(([name, value]) => ({
    name,
    point: [step, typeof value === 'number' ? value : null, seconds],
  }));
}

// Points are in order of steps; one that was there already is not added again, a job that began anew replaces what was later.
export function added(series: Series[], additions: Addition[], most: number): Series[] {
  const by = new Map(series.map((one) => [one.name, one]));
  for (const { name, point } of additions) {
    const before = by.get(name)?.points ?? [];
    if (before.at(-1)?.[0] === point[0]) continue;
    const points = [...before.filter(([step]) => step === null || point[0] === null || step < point[0]), point];
    by.set(name, { name, points: points.length > most ? thinned(points) : points });
  }
  return [...by.values()];
}

// What a plot is made of. A point that has no step or no time, since the program told none, has no place over it.
export type Axis = 'steps' | 'time';
export function drawn(points: Point[], over: Axis): { x: number[]; y: (number | null)[] } {
  const x: number[] = [];
  const y: (number | null)[] = [];
  for (const [step, value, seconds] of points) {
    const at = over === 'steps' ? step : seconds;
    if (at === null) continue;
    x.push(at);
    y.push(value);
  }
  return { x, y };
}

// Every second point, the newest always.
export function thinned(points: Point[]): Point[] {
  return points.filter((_, index) => (points.length - 1 - index) % 2 === 0);
}
