// The coming hour as blocks in lanes: what runs and what would run next on each device, packed so that none overlap.
import type { Batches, PlannedBatch } from '@/api/types';

export interface Block {
  key: string;
  batch: PlannedBatch;
  planned: boolean;
  from: number; // ms since 1970
  to: number;
  open: boolean; // its end is not known, or lies beyond
}
export interface DeviceLanes {
  device: string;
  lanes: Block[][];
}

export function lanesOf(batches: Batches, now: number, horizon: number): DeviceLanes[] {
  const end = now + horizon;
  const blocks = [
    ...batches.running.map((batch, i) => block(`running ${i}`, batch, false, now, batch.expected_end, end)),
    ...batches.next.flatMap((batch, i) => {
      const start = batch.expected_start ? Math.max(Date.parse(batch.expected_start), now) : null;
      return start === null || start >= end ? [] : [block(`next ${i}`, batch, true, start, batch.expected_end, end)];
    }),
  ];
  const by = new Map<string, Block[][]>();
  for (const one of [...blocks].sort((a, b) => a.from - b.from)) {
    const lanes = by.get(one.batch.device) ?? [];
    by.set(one.batch.device, lanes);
    // Forecasts of neighbours may touch by some milliseconds.
    const lane = lanes.find((candidate) => (candidate.at(-1)?.to ?? 0) <= one.from + 50);
    if (lane) lane.push(one);
    else lanes.push([one]);
  }
  return [...by].map(([device, lanes]) => ({ device, lanes })).sort((a, b) => a.device.localeCompare(b.device));
}

function block(key: string, batch: PlannedBatch, planned: boolean, from: number, expectedEnd: string | null, end: number): Block {
  const known = expectedEnd === null ? null : Date.parse(expectedEnd);
  const to = Math.min(known === null ? end : Math.max(known, from + 1_000), end);
  return { key, batch, planned, from, to, open: known === null || known > end };
}
