#!/usr/bin/env python3
"""The same networks in torch on the same GPU, fp16 and channels-last, random weights: eagerly and through torch.compile. Inputs and
results stay on the device. One line a measurement: network,scale,side,batch,way,ms (the median).

    bench/upscale_cuda/torch_peer.py [--networks slim:2,thick:4] [--sides 128,256,512] [--batches 1,2,4] [--modes default,…] > torch.csv

"compiled" is the fastest of the modes asked for: max-autotune-no-cudagraphs and reduce-overhead (CUDA graphs) take long to compile.
"""
import argparse
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional


class Dense(nn.Module):
    """slim and medium: residual dense blocks of one layer; nearest enlarging, last convolution at full size."""

    def __init__(self, scale, blocks, growth):
        super().__init__()
        self.scale = scale
        self.first, self.second = nn.Conv2d(3, 64, 3, padding=1), nn.Conv2d(64, 64, 3, padding=1)
        self.grow = nn.ModuleList(nn.Conv2d(64, growth, 3, padding=1) for _ in range(blocks))
        self.fuse = nn.ModuleList(nn.Conv2d(64 + growth, 64, 1) for _ in range(blocks))
        self.all, self.after = nn.Conv2d(64 * blocks, 64, 1), nn.Conv2d(64, 64, 3, padding=1)
        self.up1, self.up2 = nn.Conv2d(64, 64, 5, padding=2), nn.Conv2d(64, 32, 3, padding=1)
        self.up3, self.last = nn.Conv2d(32, 3 * scale * scale, 3, padding=1), nn.Conv2d(3 * scale * scale, 3, 3, padding=1)

    def forward(self, x):
        outer = self.first(x)
        x = self.second(outer)
        results = []
        for grow, fuse in zip(self.grow, self.fuse):
            x = fuse(torch.cat([x, functional.relu(grow(x))], 1)) + x
            results.append(x)
        x = self.after(self.all(torch.cat(results, 1))) + outer
        x = self.up3(functional.relu(self.up2(functional.relu(self.up1(x)))))
        return self.last(functional.interpolate(x, scale_factor=self.scale, mode="nearest"))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.grow = nn.ModuleList(nn.Conv2d(64 + 32 * i, 32, 3, padding=1) for i in range(4))
        self.fuse = nn.Conv2d(192, 64, 3, padding=1)

    def forward(self, x):
        held = x
        for grow in self.grow:
            held = torch.cat([held, functional.relu(grow(held))], 1)
        return x + 0.2 * self.fuse(held)


class Thick(nn.Module):
    """thick: ten residual-in-residual dense blocks, depth to space, last convolution at full size."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale
        self.first = nn.Conv2d(3, 64, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Sequential(Block(), Block(), Block()) for _ in range(10))
        self.after, self.shuffle = nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 3 * scale * scale, 3, padding=1)
        self.last = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        outer = x = self.first(x)
        for block in self.blocks:
            x = x + 0.2 * block(x)
        return self.last(functional.pixel_shuffle(self.shuffle(self.after(x) + outer), self.scale))


def make(name, scale):
    torch.manual_seed(1)
    network = {"slim": lambda: Dense(scale, 2, 4), "medium": lambda: Dense(scale, 10, 64), "thick": lambda: Thick(scale)}[name]()
    return network.cuda().half().to(memory_format=torch.channels_last).eval()


def median_ms(network, x, repeats):
    for _ in range(5):
        network(x)
    torch.cuda.synchronize()
    times = []
    for _ in range(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        network(x)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default="slim:2,medium:4,thick:4")
    parser.add_argument("--sides", default="128,256,512")
    parser.add_argument("--batches", default="1,2,4,8,16,32")
    parser.add_argument("--modes", default="default", help="of torch.compile; empty: eagerly alone")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no further measurement after so long")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch finds no GPU")
    torch.backends.cudnn.benchmark = True
    print(f"torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, {torch.cuda.get_device_name()}", file=sys.stderr)
    started = time.monotonic()
    for wanted in options.networks.split(","):
        name, scale = wanted.split(":")[0], int(wanted.split(":")[1])
        network = make(name, scale)
        for side in map(int, options.sides.split(",")):
            for batch in map(int, options.batches.split(",")):
                if time.monotonic() - started > options.seconds:
                    print("out of time", file=sys.stderr)
                    return
                try:
                    x = torch.rand(batch, 3, side, side, device="cuda").half().to(memory_format=torch.channels_last)
                    with torch.inference_mode():
                        print(name, scale, side, batch, "eager", f"{median_ms(network, x, options.repeats):.4f}", sep=",", flush=True)
                        best = None
                        for mode in filter(None, options.modes.split(",")):
                            torch._dynamo.reset()
                            built = torch.compile(network, mode=mode, dynamic=False)
                            ms = median_ms(built, x, options.repeats)
                            best = ms if best is None else min(best, ms)
                        if best is not None:
                            print(name, scale, side, batch, "compiled", f"{best:.4f}", sep=",", flush=True)
                except torch.cuda.OutOfMemoryError:
                    print(f"{name} ×{scale}, side {side}, batch {batch}: out of memory", file=sys.stderr)
                    torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
