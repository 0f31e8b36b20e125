// Requests a second by wrk over TCP, beside what nginx and the disk can do in the same run.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, job } from './daemon.mjs';
import { shown, syncsPerSecond, wait } from './machine.mjs';

const connections = 8;

function wrk(seconds, address, { token, script } = {}) {
  const words = ['-t', '2', '-c', String(connections), '-d', `${seconds}s`, '--latency', ...(token ? ['-H', `Authorization: Bearer ${token}`] : []), ...(script ? ['-s', script] : []), address];
  const { error, stdout, stderr } = spawnSync('wrk', words, { encoding: 'utf8' });
  if (error) throw new Error(`wrk: ${error.message} (scripts/setup --dev installs it)`);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, p99] = /99%\s+([\d.]+\w+)/.exec(stdout) ?? [];
  if (!rate || /Non-2xx/.test(stdout)) throw new Error(`wrk ${address}: ${stdout}${stderr}`);
  return { rate, p99 };
}

// nginx that answers every request with these bytes out of its configuration.
async function withNginx(folder, body, use) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`).join(' ');
  writeFileSync(join(folder, 'nginx.conf'), `daemon off; worker_processes 2; pid nginx.pid; error_log error.log;
events { worker_connections 64; }
http { access_log off; keepalive_requests 1000000000; ${temporary}
  server { listen 127.0.0.1:${port}; default_type application/json; return 200 '${'f'.repeat(body.length)}'; } }
`);
  const nginx = spawn('nginx', ['-p', folder + '/', '-c', 'nginx.conf', '-e', join(folder, 'error.log')], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }, stdio: 'ignore' });
  const ended = new Promise((done) => nginx.once('exit', done).once('error', done));
  const address = `http://127.0.0.1:${port}/`;
  try {
    for (let tries = 0; tries < 200 && nginx.exitCode === null && !(await fetch(address).catch(() => null)); tries += 1) await wait(20);
    return use(address);
  } finally {
    nginx.kill('SIGTERM');
    await ended;
  }
}

export async function measureRates(daemon, settings, out) {
  const { seconds, work } = settings;
  const body = JSON.stringify(await daemon.ask('/status'));
  const nginx = await withNginx(join(work, 'nginx'), body, (address) => wrk(seconds, address));
  const status = wrk(seconds, `${daemon.address}/api/v1/status`, daemon);
  const script = join(work, 'submit.lua');
  writeFileSync(script, `wrk.method = "POST"\nwrk.body = [[${JSON.stringify(job())}]]\nwrk.headers["Content-Type"] = "application/json"\n`);
  const before = syncsPerSecond(work, seconds / 4);
  const submit = wrk(seconds, `${daemon.address}/api/v1/jobs`, { token: daemon.token, script });
  const syncs = (before + syncsPerSecond(work, seconds / 4)) / 2;
  out.heading(`Requests a second, wrk over TCP, ${connections} connections`);
  out.table([
    ['what', 'a second', 'p99', 'beside'],
    [`nginx, ${body.length} bytes out of its configuration`, shown(nginx.rate), nginx.p99, ''],
    ['`GET` status', shown(status.rate), status.p99, `${shown(status.rate / nginx.rate)} × nginx`],
    ['fdatasync after an appended 4 KiB, before and after', shown(syncs), '', ''],
    ['durable submits of one job each', shown(submit.rate), submit.p99, `${shown(submit.rate / syncs)} × fdatasync`],
  ]);
}
