#!/usr/bin/env node
// How smooth the page and the API stay with a long queue and a crowd: by hand, never part of the tests.
//
//   bench/page.mjs [--bin DIR] [--page DIR] [--only page,rates] [--jobs 10000] [--streams 50] [--clients 8] [--submits 10]
//                  [--stuck 5] [--seconds 10] [--work DIR] [--output FILE]
//
// Starts a ferryd of its own, paused, with so many jobs queued. `page` opens the queue in Chromium and scrolls, filters and moves: first
// alone, then beside a crowd (so many streams of events that are read, so many clients of which each submits so often a second), then with
// streams besides that nobody reads (--stuck). `rates` holds wrk against GET status and against submits, beside nginx and fdatasync.
// What runs beside it on this machine changes every figure: the first lines say how much that was.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Daemon, buildFolder } from './page_parts/daemon.mjs';
import { lostShare } from './page_parts/machine.mjs';
import { measurePage } from './page_parts/page.mjs';
import { measureRates } from './page_parts/rates.mjs';

const { values: given } = parseArgs({
  options: {
    bin: { type: 'string' },
    page: { type: 'string' },
    only: { type: 'string', default: 'page,rates' },
    jobs: { type: 'string', default: '10000' },
    streams: { type: 'string', default: '50' },
    clients: { type: 'string', default: '8' },
    submits: { type: 'string', default: '10' },
    stuck: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    work: { type: 'string' },
    output: { type: 'string' },
  },
});
const count = (name) => {
  const value = Number(given[name]);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} is a whole number, not "${given[name]}"`);
  return value;
};
const parts = { page: measurePage, rates: measureRates };
const only = given.only.split(',');
for (const part of only) if (!(part in parts)) throw new Error(`--only: there is no part "${part}" (there are ${Object.keys(parts).join(', ')})`);

const lines = [];
const out = {
  line: (text) => (lines.push(text), console.log(text)),
  heading: (text) => ['', `## ${text}`, ''].forEach(out.line),
  table: (rows) => rows.forEach((row, index) => (out.line(`| ${row.join(' | ')} |`), index === 0 && out.line(`|${'---|'.repeat(row.length)}`))),
};

if (given.work) mkdirSync(given.work, { recursive: true });
const work = mkdtempSync(join(resolve(given.work ?? tmpdir()), 'ferry-page-bench-'));
const settings = {
  work,
  bin: given.bin ? resolve(given.bin) : buildFolder(),
  page: given.page ? resolve(given.page) : null,
  jobs: count('jobs'),
  streams: count('streams'),
  clients: count('clients'),
  submits: count('submits'),
  stuck: count('stuck'),
  seconds: count('seconds'),
};
const daemon = new Daemon(settings);
try {
  await daemon.start();
  out.line('# The page and the API under load');
  out.line('');
  out.line(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Linux ${release()}; ferryd ${daemon.version} of ${settings.bin}.`);
  out.line(`A spinning core lost ${lostShare(1)}% of its time to others; load ${loadavg()[0]?.toFixed(1)} before the run.`);
  for (const part of only) await parts[part](daemon, settings, out);
} finally {
  await daemon.end();
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
if (given.output) writeFileSync(given.output, lines.join('\n') + '\n');
