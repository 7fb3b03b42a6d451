"""Reads a run folder of implicit-rank with Python's standard library and numpy.

    python3 read_run.py RUN_FOLDER [CURVES.png]

It prints what the run was, verifies the checksum of every checkpoint, computes ranks and norms from
the stored parameters, and compares them with those that the run recorded in that epoch. With
matplotlib it also draws the curves. Copy from here what you need; the formats are described in
docs/runs.md and docs/data-files.md.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np

DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1"}
STATE = "implicit_rank_checkpoint"


def read_safetensors(path):
    """Arrays by name, their types by name, and the metadata. `safetensors.safe_open` does the same."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length].decode("utf-8"))
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, info in header.items():
        first, last = (8 + length + offset for offset in info["data_offsets"])
        values = np.frombuffer(data[first:last], DTYPES[info["dtype"]])
        arrays[name] = values.reshape(info["shape"])
    return arrays, {name: info["dtype"] for name, info in header.items()}, metadata


def compact_json(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def content_sha256(arrays, dtypes):
    """The checksum of data-files.md: names, types, shapes and elements, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        line = compact_json([name, dtypes[name], list(arrays[name].shape)]) + "\n"
        digest.update(line.encode("utf-8") + arrays[name].tobytes())
    return digest.hexdigest()


def read_checkpoint(path):
    """Arrays and state of a checkpoint, after verifying its checksum."""
    arrays, dtypes, metadata = read_safetensors(path)
    envelope = json.loads(metadata.pop(STATE))
    others = compact_json(sorted(metadata.items()))
    text = content_sha256(arrays, dtypes) + others + envelope["content"]
    if hashlib.sha256(text.encode("utf-8")).hexdigest() != envelope["hash"]:
        raise ValueError("the checksum does not fit; the file is damaged")
    return arrays, json.loads(envelope["content"])["state"]


def verify_metrics(data, state):
    """The checkpoint also knows what metrics.jsonl was up to its epoch."""
    if "metricsSha256" not in state:
        return
    if hashlib.sha256(data[: state["metricsBytes"]]).hexdigest() != state["metricsSha256"]:
        raise ValueError("metrics.jsonl is not what it was at this checkpoint")


def parameters(arrays, pattern):
    """The matrices whose name matches, in the order of the numbers in it, in double precision."""
    names = [name for name in arrays if re.fullmatch(pattern, name)]
    names.sort(key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
    return [arrays[name].astype(np.float64) for name in names]


def singular_values(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


def effective_rank(values):
    shares = values[values > 0] / values.sum()
    return np.exp(-(shares * np.log(shares)).sum())


def measure_matrix(arrays, _config, _names):
    values = singular_values(np.linalg.multi_dot(parameters(arrays, r"layers\.\d+")))
    measured = {"singular_value_%d" % k: value for k, value in enumerate(values)}
    return {"e2e_effective_rank": effective_rank(values), **measured}


def measure_cp(arrays, _config, _names):
    columns = [np.linalg.norm(factor, axis=0) for factor in parameters(arrays, r"factors\.\d+")]
    norms = sorted(np.prod(columns, axis=0), reverse=True)
    return {"top_component_%d_fro_norm" % k: norm for k, norm in enumerate(norms)}


def hierarchical_tensor(arrays, config):
    """Contracts the tensor from the leaves to the root: neighbors merge ("checkerboard")."""
    if config["ht_pool_pattern"] != "checkerboard":
        raise ValueError("this example merges neighbors only")
    nodes, layer = parameters(arrays, r"layers\.0\.factors\.\d+"), 0
    mode_sizes = [len(matrix) for matrix in nodes]
    while True:
        pool = config["ht_pool_size"]
        merged = []
        for first in range(0, len(nodes), pool):
            product = nodes[first]
            for node in nodes[first + 1 : first + pool]:
                product = (product[:, None, :] * node[None, :, :]).reshape(-1, node.shape[1])
            merged.append(product)
        if len(merged) == 1:
            return (merged[0] @ arrays["output_weights"]).reshape(mode_sizes)
        layer += 1
        matrices = parameters(arrays, r"layers\.%d\.factors\.\d+" % layer)
        nodes = [node @ matrix for node, matrix in zip(merged, matrices)]


def measure_hierarchical(arrays, config, names):
    tensor = hierarchical_tensor(arrays, config)
    measured = {}
    for label in (name[4:-9] for name in names if re.fullmatch(r"mat_[\d_]+_eff_rank", name)):
        modes = [int(mode) for mode in label.split("_")]
        rows = int(np.prod([tensor.shape[mode] for mode in modes]))
        values = singular_values(np.moveaxis(tensor, modes, range(len(modes))).reshape(rows, -1))
        measured["mat_%s_eff_rank" % label] = effective_rank(values)
        for k, value in enumerate(values):
            measured["mat_%s_sing_val_%d" % (label, k)] = value
    return measured


MEASURES = {"mf": measure_matrix, "cp": measure_cp, "ht": measure_hierarchical}


def largest_deviation(recorded, measured):
    """How many metrics are in both, and how far apart they are: relative to the largest of their
    kind, since parameters are float32."""
    kinds = {}
    for name, value in measured.items():
        if recorded.get(name) is not None:
            kinds.setdefault(re.sub(r"\d+", "", name), []).append((value, recorded[name]))
    if not kinds:
        raise ValueError("nothing to compare; was this epoch validated?")
    deviations = []
    for values in kinds.values():
        ours, theirs = np.array(values).T
        deviations.append(np.abs(ours - theirs).max() / np.abs(ours).max())
    return sum(len(values) for values in kinds.values()), max(deviations)


def draw_curves(lines, config, path):
    from matplotlib import pyplot

    metrics = config["run"]["metrics"]
    tags = {}
    for metric in metrics["train"] + metrics["validation"]:
        tags.setdefault(metric.get("tag", metric["name"]), []).append(metric["name"])
    size = (7, 2.5 * len(tags))
    figure, axes = pyplot.subplots(len(tags), figsize=size, sharex=True, squeeze=False)
    for axis, (tag, names) in zip(axes[:, 0], tags.items()):
        for name in names:
            points = [(line["epoch"], line[name]) for line in lines if line.get(name) is not None]
            if points:
                axis.plot(*zip(*points))
        axis.set_title(tag)
    figure.tight_layout()
    figure.savefig(path)
    print("curves in %s" % path)


def check(path, data, lines, config):
    """One line on a checkpoint; ValueError or KeyError if it is damaged or contradicts the metrics."""
    arrays, state = read_checkpoint(path)
    verify_metrics(data, state)
    recorded = next((line for line in lines if line["epoch"] == state["epoch"]), {})
    measured = MEASURES[config["run"]["experiment"]](arrays, config, recorded)
    count, deviation = largest_deviation(recorded, measured)
    if not deviation < 1e-4:
        raise ValueError("its parameters give other metrics, relative deviation %.0e" % deviation)
    return "whole; %d metrics computed anew, relative deviation %.0e" % (count, deviation)


def main(folder, curves=None):
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    data = (folder / "metrics.jsonl").read_bytes()
    lines = [json.loads(line) for line in data.decode("utf-8").splitlines()]
    run = config["run"]
    print("%s with seed %d, made %s" % (run["experiment"], run["seed"], run["created"]))
    print("%d recorded epochs, the last is %d" % (len(lines), lines[-1]["epoch"]))

    failed = False
    checkpoints = (folder / "checkpoints").glob("epoch_*.safetensors")
    for path in sorted(checkpoints, key=lambda path: int(path.stem[len("epoch_") :])):
        try:
            print("%s: %s" % (path.name, check(path, data, lines, config)))
        except (KeyError, ValueError) as error:
            print("%s: %s" % (path.name, error), file=sys.stderr)
            failed = True

    if curves is not None:
        draw_curves(lines, config, curves)
    return 1 if failed else 0


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit("usage: python3 read_run.py RUN_FOLDER [CURVES.png]")
    sys.exit(main(*sys.argv[1:]))
