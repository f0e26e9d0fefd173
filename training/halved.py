"""Store a network's weights as 16-bit floats: half the bytes in the package, the same network when it is opened.

    python training/halved.py IN.onnx OUT.onnx

Each weight is cast back to 32 bits by a node that ONNX Runtime works out once, when it opens the file: speed and memory
stay as they were. What is lost is the end of each weight's mantissa, below one part in two thousand.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LEAST = 256  # weights in a tensor from which halving it is worth a node
MOST = 6e4  # of a 16-bit float: 65,504


def halve(source: Path, target: Path) -> None:
    """`source` written to `target` with its large tensors of 32-bit floats stored as 16-bit ones."""
    model = onnx.load(source)
    graph, casts, kept = model.graph, [], []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == np.float32 and values.size >= LEAST and np.abs(values).max() < MOST:
            stored = f"{weights.name}.half"
            kept.append(numpy_helper.from_array(values.astype(np.float16), stored))
            casts.append(helper.make_node("Cast", [stored], [weights.name], to=TensorProto.FLOAT))
        else:
            kept.append(weights)
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    halve(Path(sys.argv[1]), Path(sys.argv[2]))
