"""The network as an ONNX graph with weights of eight bits, and back again.

The graph is built node by node, so that the same weights give the same bytes, whatever the version of an
exporter. It reads one window at a time: no padding, no mask, and a sentence's result does not depend on what
else is read. `restore` takes the weights out of a graph: a model folder is enough to go on training.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import BertConfig, BertModel

from commitments.errors import ModelError
from commitments.tag.windows import PAD
from commitments.train.classifier import Classifier, Shallow, ShallowConfig

Array = npt.NDArray[Any]

OPSET = 20
_LOWEST = -1e4


class _Graph:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}

    def keep(self, name: str, value: Any, kind: Any = np.float32) -> str:
        """A constant."""
        self.constants[name] = np.ascontiguousarray(np.asarray(value, dtype=kind))
        return name

    def do(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """A node with one output, which bears the node's name."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """``x @ weight.T + bias``."""
        product = self.do("MatMul", [x, self.keep(f"{name}.weight", weight.T)], f"{name}.product")
        return self.do("Add", [product, self.keep(f"{name}.bias", bias)], name)

    def norm(self, x: str, name: str, weight: Array, bias: Array, epsilon: float) -> str:
        names = [x, self.keep(f"{name}.weight", weight), self.keep(f"{name}.bias", bias)]
        return self.do("LayerNormalization", names, name, axis=-1, epsilon=epsilon)


def graph(model: Classifier) -> Any:
    """The network in 32 bits, but for the word embeddings, which have eight and a scale a row."""
    weights = {name: value.detach().cpu().float().numpy() for name, value in model.state_dict().items()}
    config = model.encoder.config
    width, heads = config.hidden_size, config.num_attention_heads
    g = _Graph()
    g.keep("axis", [0], np.int64)
    g.keep("one", [1], np.int64)
    if isinstance(model.encoder, Shallow):
        x = _shallow(g, weights, model.encoder.config)
    else:
        x = _embedded(g, weights, config.layer_norm_eps)
        g.keep("shape.heads", [0, heads, width // heads], np.int64)
        g.keep("shape.flat", [0, width], np.int64)
        for n in range(config.num_hidden_layers):
            x = _layer(g, weights, n, x, config)
    _head(g, weights, x, width)
    number, text = TensorProto.INT64, TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("ids", number, ["tokens"]),
        helper.make_tensor_value_info("place", number, ["tokens"]),
        *(helper.make_tensor_value_info(name, number, ["sentences"]) for name in ("starts", "tails", "ends")),
        helper.make_tensor_value_info("features", text, ["sentences", _columns(weights, width)]),
    ]
    outputs = [
        helper.make_tensor_value_info("status", text, ["sentences", 4]),
        helper.make_tensor_value_info("also", text, ["sentences", 4]),
        helper.make_tensor_value_info("mean", text, ["sentences", width]),
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in g.constants.items()]
    made = helper.make_graph(g.nodes, "commitments", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", OPSET)]
    whole = helper.make_model(made, opset_imports=opsets, ir_version=9, producer_name="commitments")
    onnx.checker.check_model(whole)
    return whole


def _columns(weights: dict[str, Array], width: int) -> int:
    return int(weights["dense.weight"].shape[1] - 3 * width)


def _words(g: _Graph, words: Array) -> str:
    """The vectors of the tokens, from eight bits a number."""
    scale = np.maximum(np.abs(words).max(1, keepdims=True), 1e-8) / 127
    small = g.keep("words", np.clip(np.rint(words / scale), -127, 127), np.int8)
    rows = g.do("Gather", [small, "ids"], "words.rows")
    rows = g.do("Cast", [rows], "words.float", to=TensorProto.FLOAT)
    scales = g.do("Gather", [g.keep("words.scale", scale), "ids"], "words.scales")
    return g.do("Mul", [rows, scales], "words.scaled")


def _shallow(g: _Graph, weights: dict[str, Array], config: ShallowConfig) -> str:
    def norm(x: str, name: str, part: str) -> str:
        weight, bias = weights[f"encoder.{part}.weight"], weights[f"encoder.{part}.bias"]
        return g.norm(x, name, weight, bias, config.layer_norm_eps)

    x = norm(_words(g, weights["encoder.words.weight"]), "embedding", "norm")
    for n in range(config.num_hidden_layers):
        weight, bias = weights[f"encoder.layers.{n}.weight"], weights[f"encoder.layers.{n}.bias"]
        found = _convolved(g, x, f"conv{n}", weight, bias, 2**n)
        x = norm(g.do("Add", [x, found], f"conv{n}.sum"), f"conv{n}.norm", f"norms.{n}")
    return x


def _embedded(g: _Graph, weights: dict[str, Array], epsilon: float) -> str:
    rows = _words(g, weights["encoder.embeddings.word_embeddings.weight"])
    places = weights["encoder.embeddings.position_embeddings.weight"]
    places = places + weights["encoder.embeddings.token_type_embeddings.weight"][:1]
    count = g.do("Shape", ["ids"], "count")
    zero = g.keep("zero", [0], np.int64)
    here = g.do("Slice", [g.keep("places", places), zero, count, zero], "places.here")
    summed = g.do("Add", [rows, here], "embedded")
    name = "encoder.embeddings.LayerNorm"
    return g.norm(summed, "embedding", weights[f"{name}.weight"], weights[f"{name}.bias"], epsilon)


def _layer(g: _Graph, weights: dict[str, Array], n: int, x: str, config: Any) -> str:
    def of(part: str, kind: str) -> Array:
        return weights[f"encoder.encoder.layer.{n}.{part}.{kind}"]

    scale = (config.hidden_size // config.num_attention_heads) ** -0.5
    own = ("query", "key", "value")
    parts = [[of(f"attention.self.{name}", kind) for name in own] for kind in ("weight", "bias")]
    for of_kind in parts:
        of_kind[0] = of_kind[0] * scale
    one = f"layer{n}"
    whole = g.linear(x, f"{one}.qkv", np.concatenate(parts[0]), np.concatenate(parts[1]))
    names = [f"{one}.{name}" for name in own]
    g.nodes.append(helper.make_node("Split", [whole], names, name=f"{one}.split", axis=-1, num_outputs=3))
    split = [g.do("Reshape", [name, "shape.heads"], f"{name}.heads") for name in names]
    query, key, value = (
        g.do("Transpose", [name], f"{name}.turned", perm=perm)
        for name, perm in zip(split, ([1, 0, 2], [1, 2, 0], [1, 0, 2]), strict=True)
    )
    shares = g.do("Softmax", [g.do("MatMul", [query, key], f"{one}.scores")], f"{one}.shares", axis=-1)
    read = g.do("MatMul", [shares, value], f"{one}.read")
    read = g.do("Transpose", [read], f"{one}.read.turned", perm=[1, 0, 2])
    read = g.do("Reshape", [read, "shape.flat"], f"{one}.read.flat")
    out = "attention.output"
    read = g.linear(read, f"{one}.out", of(f"{out}.dense", "weight"), of(f"{out}.dense", "bias"))
    read = g.do("Add", [x, read], f"{one}.attended")
    norm = f"{out}.LayerNorm"
    x = g.norm(read, f"{one}.norm1", of(norm, "weight"), of(norm, "bias"), config.layer_norm_eps)
    wide = g.linear(x, f"{one}.wide", of("intermediate.dense", "weight"), of("intermediate.dense", "bias"))
    wide = g.do("Gelu", [wide], f"{one}.gelu")
    wide = g.linear(wide, f"{one}.narrow", of("output.dense", "weight"), of("output.dense", "bias"))
    wide = g.do("Add", [x, wide], f"{one}.fed")
    norm = "output.LayerNorm"
    return g.norm(wide, f"{one}.norm2", of(norm, "weight"), of(norm, "bias"), config.layer_norm_eps)


def _head(g: _Graph, weights: dict[str, Array], x: str, width: int) -> None:
    """Pool each sentence, and decide it."""
    g.keep("last", [1 << 60], np.int64)
    summed = g.do("CumSum", [x, g.keep("axis0", 0, np.int64)], "summed")
    summed = g.do("Concat", [g.keep("nothing", np.zeros((1, width))), summed], "sums", axis=0)

    def mean(start: str, name: str) -> str:
        total = g.do(
            "Sub",
            [g.do("Gather", [summed, "ends"], f"{name}.to"), g.do("Gather", [summed, start], f"{name}.from")],
            f"{name}.total",
        )
        count = g.do("Max", [g.do("Sub", ["ends", start], f"{name}.size"), "one"], f"{name}.count")
        count = g.do("Cast", [count], f"{name}.float", to=TensorProto.FLOAT)
        return g.do("Div", [total, g.do("Unsqueeze", [count, "one"], f"{name}.column")], name)

    means = mean("starts", "mean"), mean("tails", "tail.mean")
    rows = g.do("Add", [g.do("Shape", ["starts"], "sentences"), "one"], "rows")
    size = g.do("Concat", [rows, g.keep("width", [width], np.int64)], "size", axis=0)
    lowest = numpy_helper.from_array(np.array([_LOWEST], dtype=np.float32))
    empty = g.do("ConstantOfShape", [size], "empty", value=lowest)
    index = g.do(
        "Expand",
        [g.do("Unsqueeze", ["place", "one"], "place.column"), g.do("Shape", [x], "x.shape")],
        "index",
    )
    top = g.do("ScatterElements", [empty, index, x], "scattered", axis=0, reduction="max")
    top = g.do("Slice", [top, "one", "last", "axis"], "top.all")
    held = g.do("Greater", [top, g.keep("lowest", _LOWEST)], "top.held")
    top = g.do("Where", [held, top, g.keep("null", 0.0)], "top")
    pooled = g.do("Concat", [means[0], top, means[1]], "pooled", axis=-1)
    pooled = g.norm(pooled, "head.norm", weights["norm.weight"], weights["norm.bias"], 1e-5)
    told = g.do("Concat", [pooled, "features"], "told", axis=-1)
    own = g.linear(told, "head.dense", weights["dense.weight"], weights["dense.bias"])
    own = g.do("Gelu", [own], "head.gelu")
    near = _convolved(g, own, "around", weights["around.weight"], weights["around.bias"], 1)
    mixed = g.do("Add", [own, near], "head.mixed")
    for name in ("status", "also"):
        product = g.do(
            "MatMul", [mixed, g.keep(f"{name}.weight", weights[f"{name}.weight"].T)], f"{name}.product"
        )
        g.do("Add", [product, g.keep(f"{name}.bias", weights[f"{name}.bias"])], name)


def _convolved(g: _Graph, x: str, name: str, weight: Array, bias: Array, dilation: int) -> str:
    """GELU of a convolution over three rows; x has rows first."""
    turned = g.do("Transpose", [x], f"{name}.turned", perm=[1, 0])
    turned = g.do("Unsqueeze", [turned, "axis"], f"{name}.given")
    given = [turned, g.keep(f"{name}.weight", weight), g.keep(f"{name}.bias", bias)]
    attributes = {"kernel_shape": [3], "pads": [dilation, dilation], "dilations": [dilation]}
    found = g.do("Conv", given, f"{name}.found", **attributes)
    found = g.do("Squeeze", [found, "axis"], f"{name}.flat")
    return g.do("Gelu", [g.do("Transpose", [found], f"{name}.rows", perm=[1, 0])], name)


def quantized(whole: Any) -> bytes:
    """The same with the encoder's matrices in eight bits a weight, one scale a column.

    Weights take seven bits of their eight: where a processor adds products in 16 bits, eight would overflow,
    and the result would differ from machine to machine (onnxruntime's ``reduce_range``).
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    wanted = [n.name for n in whole.graph.node if n.op_type == "MatMul" and n.name.startswith("layer")]
    wanted = [name for name in wanted if not name.endswith((".scores", ".read"))]
    if not wanted:  # a shallow network: its convolutions are small, and quick as they are
        plain: bytes = whole.SerializeToString()
        return plain
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        onnx.save(whole, source)
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=wanted,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
        return target.read_bytes()


def restore(path: str | Path, features: int, *, heads: int = 12, epsilon: float = 1e-12) -> Classifier:
    """The network whose graph lies in a file, ready to be trained further.

    Raises:
        ModelError: the file is no graph of ours.
    """
    try:
        whole = onnx.load(str(path))
        found = {t.name: numpy_helper.to_array(t) for t in whole.graph.initializer}
        return _restored(found, features, heads, epsilon)
    except (OSError, KeyError, ValueError, RuntimeError, onnx.checker.ValidationError) as error:
        raise ModelError(f"{path}: no graph of this library: {error}") from error
    except Exception as error:  # protobuf's own errors share no base with others
        if type(error).__module__.startswith("google."):
            raise ModelError(f"{path}: no graph of this library: {error}") from error
        raise


def _restored(found: dict[str, Array], features: int, heads: int, epsilon: float) -> Classifier:
    def matrix(name: str) -> Array:
        """Of a linear layer, as torch has it."""
        if f"{name}.weight" in found:
            turned: Array = found[f"{name}.weight"].T
            return turned
        small = found[f"{name}.weight_quantized"].astype(np.float32)
        zero = found[f"{name}.weight_zero_point"].astype(np.float32)
        whole: Array = ((small - zero) * found[f"{name}.weight_scale"]).T
        return whole

    state: dict[str, Array] = {
        "norm.weight": found["head.norm.weight"],
        "norm.bias": found["head.norm.bias"],
        "dense.weight": matrix("head.dense"),
        "dense.bias": found["head.dense.bias"],
        "around.weight": found["around.weight"],
        "around.bias": found["around.bias"],
    }
    for name in ("status", "also"):
        state |= {f"{name}.weight": found[f"{name}.weight"].T, f"{name}.bias": found[f"{name}.bias"]}
    words = found["words"].astype(np.float32) * found["words.scale"]
    if "conv0.weight" in found:
        encoder: BertModel | Shallow = _restored_shallow(found, words, state)
    else:
        encoder = _restored_bert(found, words, state, matrix, heads, epsilon)
    model = Classifier(encoder, features, hidden=found["head.dense.bias"].shape[0])
    model.load_state_dict({name: torch.tensor(np.array(value)) for name, value in state.items()}, strict=True)
    model.train(False)
    return model


def _restored_shallow(found: dict[str, Array], words: Array, state: dict[str, Array]) -> Shallow:
    depth = sum(name.startswith("conv") and name.endswith(".norm.weight") for name in found)
    state |= {"encoder.words.weight": words}
    for part, name in (("norm", "embedding"), *((f"norms.{n}", f"conv{n}.norm") for n in range(depth))):
        state |= {f"encoder.{part}.{kind}": found[f"{name}.{kind}"] for kind in ("weight", "bias")}
    for n in range(depth):
        state |= {f"encoder.layers.{n}.{kind}": found[f"conv{n}.{kind}"] for kind in ("weight", "bias")}
    return Shallow(ShallowConfig(words.shape[0], words.shape[1], depth))


def _restored_bert(
    found: dict[str, Array],
    words: Array,
    state: dict[str, Array],
    matrix: Callable[[str], Array],
    heads: int,
    epsilon: float,
) -> BertModel:
    depth = len({name.split(".")[0] for name in found if name.startswith("layer")})
    width = words.shape[1]
    scale = (width // heads) ** -0.5
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        intermediate_size=found["layer0.wide.bias"].shape[0],
        max_position_embeddings=found["places"].shape[0],
        type_vocab_size=1,
        layer_norm_eps=epsilon,
        pad_token_id=PAD,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    state |= {
        "encoder.embeddings.word_embeddings.weight": words,
        "encoder.embeddings.position_embeddings.weight": found["places"],
        "encoder.embeddings.token_type_embeddings.weight": np.zeros((1, width), dtype=np.float32),
        "encoder.embeddings.LayerNorm.weight": found["embedding.weight"],
        "encoder.embeddings.LayerNorm.bias": found["embedding.bias"],
    }
    for n in range(depth):
        to = f"encoder.encoder.layer.{n}."
        weights, biases = np.split(matrix(f"layer{n}.qkv"), 3), np.split(found[f"layer{n}.qkv.bias"], 3)
        for i, name in enumerate(("query", "key", "value")):
            by = 1 / scale if i == 0 else 1.0
            state[f"{to}attention.self.{name}.weight"] = weights[i] * by
            state[f"{to}attention.self.{name}.bias"] = biases[i] * by
        for part, name in (
            ("out", "attention.output.dense"),
            ("wide", "intermediate.dense"),
            ("narrow", "output.dense"),
        ):
            state[f"{to}{name}.weight"] = matrix(f"layer{n}.{part}")
            state[f"{to}{name}.bias"] = found[f"layer{n}.{part}.bias"]
        for part, name in (("norm1", "attention.output.LayerNorm"), ("norm2", "output.LayerNorm")):
            state[f"{to}{name}.weight"] = found[f"layer{n}.{part}.weight"]
            state[f"{to}{name}.bias"] = found[f"layer{n}.{part}.bias"]
    return BertModel(config, add_pooling_layer=False)
