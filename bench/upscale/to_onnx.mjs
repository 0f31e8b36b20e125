// Writes a network of the npm packages as ONNX, for bench/upscale/compare: `node to_onnx.mjs MODEL_FOLDER OUT.onnx`. Planar float in and out, any size.
import fs from 'node:fs';
import path from 'node:path';

const [folder, out] = process.argv.slice(2);
if (!folder || !out)
  throw new Error('usage: node to_onnx.mjs MODEL_FOLDER OUT.onnx');

// Protocol buffers, as far as onnx.proto needs them: fields are [number, bytes | text | integer].
function varint(value) {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}
function message(...fields) {
  return Buffer.concat(fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [varint(number << 3), varint(value)];
    const bytes = Buffer.from(value);
    return [varint((number << 3) | 2), varint(bytes.length), bytes];
  }));
}

const tensor = (name, dims, floats) => message(...dims.map((d) => [1, d]), [2, 1], [8, name], [9, Buffer.from(floats.buffer)]);
const attribute = {
  int: (name, value) => message([1, name], [3, value], [20, 2]),
  ints: (name, values) => message([1, name], ...values.map((v) => [8, v]), [20, 7]),
  text: (name, value) => message([1, name], [4, value], [20, 3]),
};
const node = (type, inputs, output, attributes = []) =>
  message(...inputs.map((i) => [1, i]), [2, output], [3, output], [4, type], ...attributes.map((a) => [5, a]));
const image = (name) => message([1, name], [2, message([1, message([1, 1],
  [2, message([1, message([1, 1])], [1, message([1, 3])], [1, message([2, `${name}_height`])], [1, message([2, `${name}_width`])])])])]);

const json = JSON.parse(fs.readFileSync(path.join(folder, 'model.json'), 'utf8'));
const group = json.weightsManifest[0];
const bytes = Buffer.concat(group.paths.map((name) => fs.readFileSync(path.join(folder, name))));
const weights = new Map();
let from = 0;
for (const { name, shape } of group.weights) {
  const count = shape.reduce((a, b) => a * b, 1);
  weights.set(name, { shape, floats: new Float32Array(bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + from + count * 4)) });
  from += count * 4;
}

// [row][column][in][out] to [out][in][row][column].
function planar({ shape: [rows, columns, inside, outside], floats }) {
  const made = new Float32Array(floats.length);
  for (let tap = 0; tap < rows * columns; ++tap)
    for (let i = 0; i < inside; ++i)
      for (let o = 0; o < outside; ++o)
        made[(o * inside + i) * rows * columns + tap] = floats[(tap * inside + i) * outside + o];
  return made;
}

const nodes = [], initializers = [];
const model = json.modelTopology.model_config.config;
for (const { class_name, name, config, inbound_nodes } of model.layers) {
  const inputs = inbound_nodes.length ? inbound_nodes[0].map((i) => i[0]) : [];
  if (class_name === 'InputLayer') continue;
  if (class_name === 'Conv2D') {
    const kernel = weights.get(`${name}/kernel`), [rows, columns, inside, outside] = kernel.shape, reach = (rows - 1) / 2;
    initializers.push(tensor(`${name}/kernel`, [outside, inside, rows, columns], planar(kernel)));
    initializers.push(tensor(`${name}/bias`, [outside], weights.get(`${name}/bias`).floats));
    nodes.push(node('Conv', [...inputs, `${name}/kernel`, `${name}/bias`], name,
      [attribute.ints('kernel_shape', [rows, columns]), attribute.ints('pads', [reach, reach, reach, reach])]));
  } else if (class_name === 'Activation') {
    nodes.push(node('Relu', inputs, name));
  } else if (class_name === 'Concatenate') {
    nodes.push(node('Concat', inputs, name, [attribute.int('axis', 1)]));
  } else if (class_name === 'Add') {
    nodes.push(node('Add', inputs, name));
  } else if (class_name === 'MultiplyBeta') {
    initializers.push(tensor(`${name}/beta`, [1], Float32Array.of(config.beta)));
    nodes.push(node('Mul', [...inputs, `${name}/beta`], name));
  } else if (class_name === 'UpSampling2D') {
    initializers.push(tensor(`${name}/scales`, [4], Float32Array.of(1, 1, ...config.size)));
    nodes.push(node('Resize', [...inputs, '', `${name}/scales`], name, [attribute.text('mode', 'nearest'),
      attribute.text('coordinate_transformation_mode', 'asymmetric'), attribute.text('nearest_mode', 'floor')]));
  } else if (class_name.startsWith('PixelShuffle')) {
    nodes.push(node('DepthToSpace', inputs, name, [attribute.int('blocksize', config.scale), attribute.text('mode', 'DCR')]));
  } else {
    throw new Error(`${name}: ${class_name}`);
  }
}
const graph = message(...nodes.map((n) => [1, n]), [2, path.basename(folder)], ...initializers.map((i) => [5, i]),
  [11, image(model.input_layers[0][0])], [12, image(model.output_layers[0][0])]);
fs.writeFileSync(out, message([1, 8], [7, graph], [8, message([1, ''], [2, 13])]));
