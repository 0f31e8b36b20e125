// What one who works with the queue feels: the page's main thread, its layout, its memory; and what the API does meanwhile.
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { chromium } from '../../web/node_modules/playwright-core/index.mjs';
import { percentile, shown, wait } from './machine.mjs';

const settleMs = 2_000;
const longMs = 50; // what the Long Tasks API calls long

export async function measurePage(daemon, settings, out) {
  await daemon.fill(settings.jobs);
  const crowd = { streams: settings.streams, clients: settings.clients, submits: settings.submits, stuck: 0 };
  const phases = [
    ['alone', { streams: 0, clients: 0, submits: 1, stuck: 0 }],
    ['with the crowd', crowd],
    [`and ${settings.stuck} who never read`, { ...crowd, stuck: settings.stuck }],
  ];
  const browser = await chromium.launch({
    executablePath: process.env.FERRY_CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--enable-precise-memory-info'],
  });
  const measured = [];
  try {
    for (const [name, others] of phases) measured.push({ name, ...(await phase(daemon, settings, others, browser)) });
  } finally {
    await browser.close();
  }
  out.heading(`The page with ${settings.jobs.toLocaleString('en-US')} queued jobs`);
  out.line(`Of each: processor time of the main thread a step (opening; a second of looking; a turn of the wheel by 600 px; a key); tasks that took longer than ${longMs} ms by the clock, with what others took meanwhile; layout shifts that nobody asked for.`);
  out.line(`The crowd: ${settings.streams} streams of events and ${settings.clients} clients of which each submits ${settings.submits} times a second.`);
  out.line('');
  const names = Object.keys(measured[0].actions);
  const tasks = ({ each, longest, over, shift }) => `${shown(each)} ms; ${over === 0 ? 'none' : `${over}, at most ${shown(longest)} ms`}; ${shift === 0 ? '0' : shift.toFixed(3)}`;
  out.table([
    [`a step; tasks over ${longMs} ms; layout shifts`, ...measured.map(({ name }) => name)],
    ...names.map((action) => [action, ...measured.map(({ actions }) => tasks(actions[action]))]),
    ['JavaScript heap; nodes', ...measured.map(({ heapMib, nodes }) => `${shown(heapMib)} MiB; ${shown(nodes)}`)],
  ]);
  out.heading('The API meanwhile');
  const times = (values) => `${shown(percentile(values, 0.5))} / ${shown(percentile(values, 0.99))} ms`;
  out.table([
    ['p50 / p99', ...measured.map(({ name }) => name)],
    ...Object.keys(measured[0].reads).map((path) => [path, ...measured.map(({ reads }) => times(reads[path]))]),
    ['submit', ...measured.map(({ submits }) => (submits.length === 0 ? '' : times(submits)))],
    ['submits; events read', ...measured.map(({ seconds, submits, events }) => `${shown(submits.length / seconds)}/s; ${shown(events / seconds)}/s`)],
    ['streams that were cut off', ...measured.map(({ dropped }) => String(dropped))],
    ['memory of ferryd, before → after', ...measured.map(({ memory }) => memory.map(shown).join(' → ') + ' MiB')],
  ]);
}

// One pass over all that is done on the page, beside these others.
async function phase(daemon, settings, others, browser) {
  const { port, token } = daemon;
  const first = (await daemon.ask('/queue?limit=1')).jobs[0].id;
  const memory = [daemon.memoryMib];
  const start = performance.now();
  const helpers = [helper('crowd', { port, token, ...others }), helper('reader', { port, token, job: first })];
  const page = await openPage(daemon, settings, browser);
  const ticks = await page.context().newCDPSession(page);
  await ticks.send('Performance.enable', { timeDomain: 'threadTicks' });
  const actions = {};
  for (const [name, act] of Object.entries(all)) actions[name] = await observed(page, ticks, () => act(page, { ...settings, address: daemon.address }));
  const { heapMib, nodes } = await weigh(page);
  await page.context().close();
  const [counted, reads] = await Promise.all(helpers.map((stop) => stop()));
  memory.push(daemon.memoryMib);
  return { ...counted, actions, heapMib, nodes, reads, memory, seconds: (performance.now() - start) / 1_000 };
}

// Starts it; what comes back ends it and tells what it counted. It ends with this process in any case.
function helper(role, settings) {
  const process = fork(fileURLToPath(new URL('./others.mjs', import.meta.url)), [role]);
  process.send({ start: settings });
  return () =>
    new Promise((done, failed) => {
      process.once('message', done).once('exit', (status) => failed(new Error(`${role} ended with status ${status}`)));
      process.send({ stop: true });
    });
}

const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html' };

async function openPage(daemon, settings, browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addCookies([{ name: 'ferry_token', value: daemon.token, url: daemon.address }]);
  if (settings.page) // as it was built last, beside a daemon that may hold an older one
    await context.route((address) => !address.pathname.startsWith('/api/'), (route) => {
      const wanted = join(settings.page, new URL(route.request().url()).pathname);
      const file = extname(wanted) && existsSync(wanted) ? wanted : join(settings.page, 'index.html');
      return route.fulfill({ body: readFileSync(file), contentType: types[extname(file)] ?? 'application/octet-stream' });
    });
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.seen = { tasks: [], shifts: [] };
    new PerformanceObserver((list) => window.seen.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask', buffered: true });
    // As Cumulative Layout Shift has it: what moves within half a second of an input was asked for.
    const unasked = (list) => list.getEntries().filter((entry) => !entry.hadRecentInput);
    new PerformanceObserver((list) => window.seen.shifts.push(...unasked(list).map((entry) => entry.value))).observe({ type: 'layout-shift', buffered: true });
  });
  return page;
}

// What the page's own observers saw meanwhile.
async function observed(page, ticks, act) {
  const before = await metric(ticks, 'TaskDuration');
  const steps = await act();
  const processor = ((await metric(ticks, 'TaskDuration')) - before) * 1_000;
  await page.waitForTimeout(settleMs);
  const { tasks, shifts } = await page.evaluate(() => {
    const seen = window.seen;
    window.seen = { tasks: [], shifts: [] };
    return seen;
  });
  return { over: tasks.length, longest: Math.max(0, ...tasks), shift: shifts.reduce((sum, value) => sum + value, 0), each: processor / steps };
}

async function metric(session, name) {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find((one) => one.name === name)?.value ?? NaN;
}

async function weigh(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  return { heapMib: (await metric(session, 'JSHeapUsedSize')) / 1_048_576, nodes: await metric(session, 'Nodes') };
}

const rows = (page) => page.locator('[data-job]');

// What is done, in this order, on one page that stays open; each says in how many steps.
const all = {
  async opening(page, settings) {
    const { address } = settings;
    await page.goto(`${address}/queue`);
    await rows(page).first().waitFor();
    return 1;
  },
  async looking(page, settings) {
    await page.waitForTimeout(settings.seconds * 1_000);
    return settings.seconds; // each a second
  },
  async scrolling(page, settings) {
    await page.mouse.move(640, 500);
    const wheels = settings.seconds * 10;
    for (let i = 0; i < wheels; i += 1) {
      await page.mouse.wheel(0, 600);
      await wait(100);
    }
    return wheels;
  },
  async filtering(page) {
    const find = page.getByRole('searchbox', { name: 'Find jobs' });
    const texts = ['picture 77', 'picture 4321', 'nothing like it'];
    for (const text of texts) {
      await find.pressSequentially(text, { delay: 60 });
      await page.waitForTimeout(1_000);
      await find.fill('');
    }
    await page.getByRole('combobox', { name: 'Status' }).selectOption('held');
    await page.getByText('No job fits these filters').waitFor();
    await page.getByRole('combobox', { name: 'Status' }).selectOption('');
    await rows(page).first().waitFor();
    return texts.join('').length + 2; // keys and choices
  },
  async moving(page) {
    const [moves, keys] = [5, 5];
    for (let i = 0; i < moves; i += 1) {
      await rows(page).nth(1).focus();
      await page.keyboard.press('Alt+ArrowDown');
      for (let key = 0; key < keys; key += 1) await page.keyboard.press('ArrowDown');
      await page.locator('.preview').waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.preview').waitFor({ state: 'detached' });
    }
    return moves * (keys + 2);
  },
};
