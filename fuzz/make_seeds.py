"""Writes the small seed files of the readers in this folder: python3 fuzz/make_seeds.py"""
import collections
import gzip
import io
import json
import pathlib
import pickle
import struct
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent / "seeds"


def write(reader, name, data):
    folder = HERE / reader
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def archive(members, method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


def tensor(key):
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + b"K\x04tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00K\x02K\x02\x86K\x02K\x01\x86\x89" \
        b"ccollections\nOrderedDict\n)RtR"


values = [None, True, 7, -1, 2 ** 40, 2 ** 90, 1.5, "a€", b"b", [1, [2]], (1, 2, 3, 4), {"a": {1, 2}},
          collections.OrderedDict(x=1), frozenset([1])]
for protocol in range(6):
    write("pickle", f"protocol{protocol}", pickle.dumps(values, protocol))
write("zip", "stored", archive({"a/b": b"hello", "c": b""}, zipfile.ZIP_STORED))
write("zip", "deflated", archive({"a/b": b"hello" * 50}, zipfile.ZIP_DEFLATED))
for descr, order, shape, data in [("<f4", False, "(2, 2)", bytes(16)), (">i2", True, "(2, 3)", bytes(12)),
                                  ("<U2", False, "(2,)", bytes(16)), ("|S3", False, "()", b"abc")]:
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    write("npy", descr[1:], b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
header = json.dumps({"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})
write("safetensors", "one", struct.pack("<Q", len(header)) + header.encode() + bytes(8))
state = b"\x80\x02}(" + text("a") + tensor("0") + text("b") + b"](" + tensor("0") + b"eu."
write("checkpoint", "state_dict", state)
module = b"\x80\x02cmodel\nNet\n)\x81}(" + text("_parameters") + b"}" + text("w") + tensor("0") + b"s" \
    + text("_buffers") + b"}" + text("_modules") + b"}ub."
write("checkpoint", "module", module)
legacy = pickle.dumps(0x1950a86a20f9469cfc6c, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2) \
    + state + pickle.dumps(["0"], 2) + struct.pack("<q", 4) + bytes(16)
write("checkpoint", "legacy", legacy)


def pt2_tensor(*sizes):
    return {"dtype": 7, "sizes": [{"as_int": n} if isinstance(n, int) else {"as_expr": {"expr_str": n, "hint": None}}
                                  for n in sizes], "requires_grad": False, "device": {"type": "cpu", "index": None},
            "strides": [{"as_int": 1} for _ in sizes], "storage_offset": {"as_int": 0}, "layout": 7}


def pt2_node(target, output, *inputs):
    return {"target": "torch.ops." + target, "outputs": [output], "metadata": {"nn_module_stack": "a,b,c"},
            "inputs": [{"name": "", "arg": arg, "kind": 1} for arg in inputs]}


def pt2_name(name, tag="as_tensor"):
    return {tag: {"name" if tag == "as_tensor" else "as_name": name}}


def pt2_graph(inputs, nodes, output):
    size = "Mul(Integer(2), Symbol('s0', positive=True, integer=True))"
    return {"inputs": [pt2_name(n) for n in inputs], "outputs": [pt2_name(output)], "nodes": nodes,
            "tensor_values": {n: pt2_tensor(size, 2) for n in [*inputs, output]},
            "sym_int_values": {"n": {"as_expr": {"expr_str": size, "hint": None}}}, "sym_bool_values": {}}


x, w = pt2_name("x"), pt2_name("w")
branches = [{"as_graph": {"name": op, "graph": pt2_graph(["a"], [pt2_node(f"aten.{op}.default", pt2_name("y"),
                                                                         pt2_name("a"))], "y")}}
            for op in ("relu", "neg")]
for name, nodes in {
    "linear": [pt2_node("aten.mul.Tensor", pt2_name("y"), x, w)],
    "view": [pt2_node("aten.sym_size.int", pt2_name("n", "as_sym_int"), x, {"as_int": 0}),
             pt2_node("aten.view.default", pt2_name("y"), x, {"as_sym_ints": [{"as_int": -1}, {"as_name": "n"}]})],
    "inplace": [pt2_node("aten.select.int", pt2_name("v"), x, {"as_int": 0}, {"as_int": 0}),
                pt2_node("aten.add_.Tensor", pt2_name("y"), pt2_name("v"), {"as_float": 1.5})],
    "cond": [pt2_node("aten.gt.Scalar", pt2_name("g"), w, {"as_int": 0}),
             pt2_node("higher_order.cond", pt2_name("y"), pt2_name("g"), *branches, {"as_tensors": [{"name": "x"}]})],
}.items():
    program = {"graph_module": {
        "graph": pt2_graph(["w", "x"], nodes, "y"), "module_call_graph": [],
        "signature": {"input_specs": [{"parameter": {"arg": {"name": "w"}, "parameter_name": "layer.w"}},
                                      {"user_input": {"arg": x}}],
                      "output_specs": [{"user_output": {"arg": pt2_name("y")}}]}},
        "opset_version": {"aten": 10}, "range_constraints": {"s0": {"min_val": 1, "max_val": 9}},
        "schema_version": {"major": 8, "minor": 20}, "torch_version": "2.13.0"}
    write("pt2", name, json.dumps(program).encode())
meta = pt2_tensor(2, 2)
write("pt2_config", "one", json.dumps({"config": {"layer.w": {"path_name": "weight_0", "is_param": True,
                                                             "use_pickle": False, "tensor_meta": meta}}}).encode())

# Keras: the models that the tests convert, whole and their configs alone.
models = HERE.parents[1] / "tests" / "fixtures" / "keras"
for file in sorted(models.iterdir()):
    if file.suffix == ".npz":
        continue
    write("keras", file.name, file.read_bytes())
    if file.suffix == ".keras":
        with zipfile.ZipFile(file) as archive_file:
            write("keras_config", file.stem + ".json", archive_file.read("config.json"))

# The ONNX models that the server's tests use.
for file in sorted((models.parent / "models").glob("*.onnx")):
    if file.stat().st_size < 4096:
        write("onnx", file.name, file.read_bytes())


def png(width, height, color, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(range(12))) if color == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


for name, color, channels in (("grey", 0, 1), ("rgb", 2, 3), ("palette", 3, 1), ("rgba", 6, 4)):
    write("image", name + ".png", png(2, 2, color, (b"\0" + bytes(2 * channels)) * 2))

# TorchScript: the code of a module `M`, as torch.jit.save prints it.
for name, body in {
    "ops": ["_0 = torch.flip(torch.roll(x, [2], [0]), [0])", "return torch.add(_0, x, alpha=2)"],
    "if": ["if bool(torch.gt(torch.sum(x), 0)):", "  y = torch.relu(x)", "else:", "  y = torch.neg(x)", "return y"],
    "loop": ["n = torch.size(x, 0)", "y = x", "i = 0", "_0 = torch.lt(i, n)", "while _0:",
             "  y = torch.add_(y, torch.select(x, 0, i))", "  i = torch.add(i, 1)", "  _0 = torch.lt(i, n)", "return y"],
    "for": ["xs = annotate(List[Tensor], [])", "for i in range(3):", "  _0 = torch.append(xs, torch.mul(x, i))",
            "return torch.stack(xs, 0)"],
    "dict": ['d = {"a": x, "b": torch.relu(x)}', 'a, b = d["a"], d["b"]', "return torch.cat([a, b], -1)"],
    "view": ["v = torch.slice(x, 0, 1, None, 2)", "_0 = torch.fill_(v, 1.5)", "return torch.view(x, [-1, 2])"],
}.items():
    lines = ["class M(Module):", "  __parameters__ = []", "  __buffers__ = []", "  training : bool",
             "  def forward(self: __torch__.M,", "    x: Tensor) -> Tensor:", *("    " + line for line in body)]
    write("torchscript", name, "\n".join(lines).encode() + b"\n")


# TensorFlow: graphs as text, and a table block of a checkpoint's index.
def node(name, op, *inputs, **attrs):
    lines = [f'  name: "{name}"', f'  op: "{op}"', *(f'  input: "{i}"' for i in inputs)]
    lines += [f'  attr {{ key: "{key}" value {{ {value} }} }}' for key, value in attrs.items()]
    return "node {\n" + "\n".join(lines) + "\n}\n"


real, whole = "type: DT_FLOAT", "type: DT_INT32"


def constant(name, kind, value):
    field = "float_val" if kind == real else "int_val"
    return node(name, "Const", dtype=kind, value=f"tensor {{ dtype: {kind[6:]} tensor_shape {{ }} {field}: {value} }}")


x = node("x", "Placeholder", dtype=real, shape="shape { dim { size: -1 } dim { size: 2 } }")
for name, graph in {
    "add": x + constant("c", real, 2) + node("y", "AddV2", "x", "c", T=real),
    "switch": x + constant("p", real, 0) + node("b", "Less", "p", "p", T=real) + node("s", "Switch", "x", "b", T=real)
    + node("n", "Neg", "s", T=real) + node("r", "Relu", "s:1", T=real) + node("y", "Merge", "n", "r", T=real, N="i: 2"),
    "while": constant("c", whole, 0) + constant("k", whole, 3)
    + node("e", "Enter", "c", T=whole, frame_name='s: "f"') + node("m", "Merge", "e", "i", T=whole, N="i: 2")
    + node("ek", "Enter", "k", T=whole, frame_name='s: "f"', is_constant="b: true") + node("l", "Less", "m", "ek", T=whole)
    + node("o", "LoopCond", "l") + node("s", "Switch", "m", "o", T=whole) + node("a", "AddV2", "s:1", "ek", T=whole)
    + node("i", "NextIteration", "a", T=whole) + node("y", "Exit", "s", T=whole),
}.items():
    write("tensorflow_graph", name + ".pbtxt", graph.encode())
entry = b"\x08\x01\x12\x04\x12\x02\x08\x02\x28\x08"  # float, shape [2], 8 bytes
block = b"\0\0\x02\x08\x01" + b"\0\x01" + bytes([len(entry)]) + b"w" + entry + struct.pack("<II", 0, 1)
write("tensorflow_bundle", "block", block)

# The first byte chooses the reader: fuzz/request_fuzz.cpp.
pair = {"inputs": [{"name": name, "shape": [2], "datatype": "INT64", "data": [1, 2]} for name in "ab"]}
sizes = {"inputs": [{"name": name, "shape": [2], "datatype": "INT64", "parameters": {"binary_data_size": 16}} for name in "ab"]}
head = json.dumps(sizes).encode()
for name, data in {
    "predict": b'\0{"inputs": {"a": [1, 2], "b": [1, 3]}, "models": ["m"], "timeout_ms": 5, "combine": "mean", "status": true}',
    "infer": b"\1" + json.dumps(pair | {"id": "7", "outputs": [{"name": "total", "parameters": {"classification": 1}}]}).encode(),
    "binary": b"\2" + struct.pack("<H", len(head)) + head + struct.pack("<4q", 1, 2, 1, 3),
    "instances": b'\3{"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4}], "signature_name": "serving_default"}',
    "columns": b'\3{"inputs": {"a": [1, 2], "b": [1, 3]}}',
    "examples": b'\4{"context": {"b": 2}, "examples": [{"a": 1}, {"a": 3}]}',
    "gzip": b"\5" + gzip.compress(b"hello" * 50, mtime=0),
    "traceparent": b"\x0600-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "generate": b'\7{"a": [1, 2], "parameters": {"b": [3, 4]}, "id": "x"}',
}.items():
    write("request", name, data)
