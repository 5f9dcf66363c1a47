"""Writes the small seed files of the readers in this folder: python3 fuzz/make_seeds.py"""
import collections
import io
import json
import pathlib
import pickle
import struct
import zipfile

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
