"""Milliseconds of convolutions and their gradients in PyTorch; called by benchmarks/convolution.ts."""

import json
import sys
import time

import torch
from torch.nn import grad


def best_milliseconds(run, seconds):
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


request = json.loads(sys.argv[1])
torch.set_num_threads(request["threads"])
results = []
for g in request["layers"]:
    x = torch.randn(g["batch"], g["inChannels"], g["inHeight"], g["inWidth"])
    w = torch.randn(g["outChannels"], g["inChannels"], g["kernelHeight"], g["kernelWidth"])
    options = {"stride": g["strideHeight"], "padding": g["padTop"]}
    y = torch.nn.functional.conv2d(x, w, **options)
    results.append(
        [
            best_milliseconds(run, request["seconds"])
            for run in (
                lambda: torch.nn.functional.conv2d(x, w, **options),
                lambda: grad.conv2d_input(x.shape, w, y, **options),
                lambda: grad.conv2d_weight(x, w.shape, y, **options),
            )
        ]
    )
print(json.dumps(results))
