// What the machine itself can do, and how much of it others have. All of these stand in the same run as the figures.
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

// The percentage of its time that a loop which reads the clock spends away from the core, in gaps above 0.1 ms.
export function lostShare(seconds) {
  const start = performance.now();
  let lost = 0;
  for (let before = start, now = start; before - start < seconds * 1_000; before = now) {
    now = performance.now();
    if (now - before > 0.1) lost += now - before;
  }
  return Math.round(lost / seconds / 10);
}

// fdatasync after 4 KiB appended, a second.
export function syncsPerSecond(folder, seconds) {
  const file = join(folder, 'sync.dat');
  const descriptor = openSync(file, 'w');
  const block = Buffer.alloc(4_096, 'f');
  const start = performance.now();
  let done = 0;
  for (; performance.now() - start < seconds * 1_000; done += 1) {
    writeSync(descriptor, block);
    fdatasyncSync(descriptor);
  }
  const took = (performance.now() - start) / 1_000;
  closeSync(descriptor);
  rmSync(file);
  return done / took;
}

export function residentMib(pid) {
  const [, kib] = /^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}

// The value below which so large a share of them lies.
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
export const shown = (number) => (number >= 100 ? Math.round(number).toLocaleString('en-US') : Number(number.toPrecision(3)).toString());
