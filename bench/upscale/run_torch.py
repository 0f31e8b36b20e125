"""One line of JSON: how long torch takes for a picture. `run_torch.py MODEL_FOLDER SIZE THREADS RUNS INPUT OUTPUT`

INPUT: SIZE x SIZE x 3 float32, interleaved; OUTPUT: the same, enlarged (for a check). Eager, channels last or not: whichever is faster.
"""
import json
import pathlib
import sys
import time

import numpy
import torch
import torch.nn.functional as functional

folder, size, threads, runs, source, output = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:5]), *sys.argv[5:7]
torch.set_num_threads(threads)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)
document = json.loads((folder / "model.json").read_text())
group = document["weightsManifest"][0]
data = b"".join((folder / name).read_bytes() for name in group["paths"])
weights, begin = {}, 0
for entry in group["weights"]:
    count = int(numpy.prod(entry["shape"]))
    weights[entry["name"]] = torch.from_numpy(numpy.frombuffer(data, numpy.float32, count, begin).reshape(entry["shape"]).copy())
    begin += 4 * count
layers = document["modelTopology"]["model_config"]["config"]["layers"]


def depth_to_space(value, scale):
    """TensorFlow's order of channels: phase first, then colour."""
    batch, channels, height, width = value.shape
    value = value.reshape(batch, scale, scale, channels // scale**2, height, width)
    return value.permute(0, 3, 4, 1, 5, 2).reshape(batch, channels // scale**2, height * scale, width * scale)


def steps_for(memory_format):
    """Each layer as (name, inputs, function)."""
    steps = []
    for layer in layers:
        kind, name, config = layer["class_name"], layer["name"], layer["config"]
        inputs = [node[0] for node in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
        if kind == "InputLayer":
            continue
        if kind == "Conv2D":
            kernel = weights[name + "/kernel"].permute(3, 2, 0, 1).contiguous(memory_format=memory_format)
            bias, reach = weights[name + "/bias"], config["kernel_size"][0] // 2
            run = lambda x, k=kernel, b=bias, r=reach: functional.conv2d(x, k, b, padding=r)
        elif kind == "Activation":
            run = functional.relu_
        elif kind == "Concatenate":
            run = lambda *x: torch.cat(x, 1)
        elif kind == "Add":
            run = lambda a, b: a + b
        elif kind == "MultiplyBeta":
            run = lambda x, beta=config["beta"]: x * beta
        elif kind == "UpSampling2D":
            run = lambda x, scale=config["size"][0]: functional.interpolate(x, scale_factor=scale, mode="nearest")
        elif kind.startswith("PixelShuffle"):
            run = lambda x, scale=config["scale"]: depth_to_space(x, scale)
        else:
            raise SystemExit(f"{name}: {kind}")
        steps.append((name, inputs, run))
    last_use = {one: index for index, (_, inputs, _) in enumerate(steps) for one in inputs}
    return [(name, inputs, run, [i for i in set(inputs) if last_use[i] == index]) for index, (name, inputs, run) in enumerate(steps)]


def compute(steps, picture):
    values = {layers[0]["name"]: picture}
    for name, inputs, run, finished in steps:
        values[name] = run(*[values[i] for i in inputs])
        for one in finished:
            del values[one]
    return values[name]


pixels = numpy.fromfile(source, numpy.float32).reshape(1, size, size, 3)
best, cpu = {}, []
with torch.no_grad():
    for label, memory_format in (("planar", torch.contiguous_format), ("channels_last", torch.channels_last)):
        steps = steps_for(memory_format)
        picture = torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()).contiguous(memory_format=memory_format)
        times = []
        for _ in range(runs):
            start, used = time.perf_counter(), time.process_time()
            made = compute(steps, picture)
            times.append(1000 * (time.perf_counter() - start))
            cpu.append(1000 * (time.process_time() - used))
        best[label] = min(times)
made.permute(0, 2, 3, 1).contiguous().numpy().tofile(output)
print(json.dumps({"best_ms": min(best.values()), "cpu_ms": min(cpu), "runs": runs, **best}))
