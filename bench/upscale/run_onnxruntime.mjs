// One line of JSON: how long onnxruntime takes for a picture. `node run_onnxruntime.mjs FOLDER_WITH_NODE_MODULES MODEL.onnx SIZE THREADS RUNS INPUT OUTPUT`
// INPUT: SIZE × SIZE × 3 float32, interleaved; OUTPUT: the same, enlarged (for a check).
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [modules, model, size, threads, runs, input, output] = process.argv.slice(2);
const ort = createRequire(path.resolve(modules) + '/')('onnxruntime-node');
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionMode: 'sequential' });
const pixels = size * size;
const bytes = fs.readFileSync(input);
const interleaved = new Float32Array(bytes.buffer, bytes.byteOffset, pixels * 3);
const planar = Float32Array.from({ length: pixels * 3 }, (_, i) => interleaved[(i % pixels) * 3 + Math.floor(i / pixels)]);
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', planar, [1, 3, Number(size), Number(size)]) };
const times = [], cpu = [];
let result;
for (let run = 0; run < runs; ++run) {
  const from = process.hrtime.bigint(), used = process.cpuUsage();
  result = (await session.run(feeds))[session.outputNames[0]];
  times.push(Number(process.hrtime.bigint() - from) / 1e6);
  const { user, system } = process.cpuUsage(used);
  cpu.push((user + system) / 1e3);
}
const many = result.data.length / 3;
fs.writeFileSync(output, Buffer.from(Float32Array.from({ length: many * 3 }, (_, i) => result.data[(i % 3) * many + Math.floor(i / 3)]).buffer));
console.log(JSON.stringify({ best_ms: Math.min(...times), cpu_ms: Math.min(...cpu), runs: times.length }));
