// A process beside the browser, told by its first argument what to be:
//   crowd   streams of events that are read, streams that nobody reads, and clients that submit at a steady pace
//   reader  asks the API for this and that at a steady pace, and takes the time
// The parent sends {start: settings} and {stop: true}; the answer is what was counted.
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { job } from './daemon.mjs';

const agent = new Agent({ keepAlive: true });
let going = true;

function ask({ port, token }, path, body) {
  return new Promise((done, failed) => {
    const headers = { Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) };
    const asked = request({ port, host: '127.0.0.1', agent, path: `/api/v1${path}`, method: body ? 'POST' : 'GET', headers }, (answer) => {
      answer.resume();
      answer.on('end', () => (answer.statusCode < 300 ? done() : failed(new Error(`${path}: ${answer.statusCode}`))));
    });
    asked.on('error', failed);
    asked.end(body && JSON.stringify(body));
  });
}

// Calls again and again, so often a second as far as the answers let it; each takes its time into `times`, in ms.
async function keepAsking(each, perSecond, times) {
  for (let next = performance.now(); going; next = Math.max(next + 1_000 / perSecond, performance.now())) {
    await new Promise((done) => setTimeout(done, Math.max(0, next - performance.now())));
    const sent = performance.now();
    await each();
    times.push(performance.now() - sent);
  }
}

function crowd(settings) {
  const counted = { events: 0, submits: [], dropped: 0 };
  for (let i = 0; i < settings.streams; i += 1)
    request({ port: settings.port, host: '127.0.0.1', path: '/api/v1/events', headers: { Authorization: `Bearer ${settings.token}` } }, (answer) => {
      answer.on('data', (data) => {
        for (let at = data.indexOf('\n\n'); at >= 0; at = data.indexOf('\n\n', at + 2)) counted.events += 1;
      });
      answer.on('close', () => (counted.dropped += going ? 1 : 0));
    }).end();
  for (let i = 0; i < settings.stuck; i += 1) {
    const socket = connect(settings.port, '127.0.0.1');
    socket.pause(); // what comes stays where it is: the daemon's send buffer fills up
    socket.on('error', () => {});
    socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:${settings.port}\r\nAuthorization: Bearer ${settings.token}\r\n\r\n`);
  }
  for (let i = 0; i < settings.clients; i += 1) void keepAsking(() => ask(settings, '/jobs', job()), settings.submits, counted.submits);
  return counted;
}

const readsPerSecond = 20;
function reader(settings) {
  const counted = {};
  const paths = { status: '/status', queue: '/queue?limit=100', 'queue, far down': '/queue?limit=100&offset=5000', job: `/jobs/${settings.job}`, list: '/jobs?status=queued&limit=100' };
  for (const [name, path] of Object.entries(paths)) void keepAsking(() => ask(settings, path), readsPerSecond, (counted[name] = []));
  return counted;
}

const roles = { crowd, reader };
let counted = {};
process.on('disconnect', () => process.exit(1)); // the parent has given up
process.on('message', (message) => {
  if (message.start) counted = roles[process.argv[2]](message.start);
  if (message.stop) {
    going = false;
    process.send(counted, () => process.exit(0));
  }
});
