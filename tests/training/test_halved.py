"""Weights take half the room in the package, and the network says the same. Needs training/requirements.txt (onnx)."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("onnx", reason="training/requirements.txt is not installed")
from halved import halve
from onnx import TensorProto, helper, numpy_helper, save


def said_by(path: Path, given: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(path.read_bytes()).run(None, {"x": given})[0]


def test_a_network_stored_in_half_the_bytes_says_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = numpy_helper.from_array(rng.normal(0, 1, (64, 64)).astype(np.float32), "weights")
    shift = numpy_helper.from_array(np.full(4, 1 / 3, np.float32).repeat(16), "shift")
    shape = [1, 64]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["m"]), helper.make_node("Add", ["m", "shift"], ["y"])],
        "one layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [weights, shift],
    )
    whole, half = tmp_path / "whole.onnx", tmp_path / "half.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    save(model, whole)
    halve(whole, half)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    given = rng.normal(0, 1, (1, 64)).astype(np.float32)
    np.testing.assert_allclose(said_by(half, given), said_by(whole, given), atol=0.02)
