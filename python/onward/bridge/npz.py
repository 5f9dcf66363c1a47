"""Writes .npz files without numpy, which a training environment may lack or have in a version torch can't use."""

import zipfile

_DESCRIPTIONS = {
    "float16": "<f2", "float32": "<f4", "float64": "<f8", "int8": "|i1", "int16": "<i2", "int32": "<i4",
    "int64": "<i8", "uint8": "|u1", "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "bool": "|b1",
    "complex64": "<c8", "complex128": "<c16", "bfloat16": "<u2",
}  # fmt: skip


def supports(dtype):
    return dtype in _DESCRIPTIONS


def write(path, arrays):
    """`arrays`: {name: (dtype name, shape, little-endian bytes in C order)}. bfloat16 is stored as its bits."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, (dtype, shape, data) in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                member.write(_header(dtype, shape))
                member.write(data)


def _header(dtype, shape):
    text = "{{'descr': {!r}, 'fortran_order': False, 'shape': {!r}, }}".format(_DESCRIPTIONS[dtype], tuple(shape))
    padding = -(10 + len(text) + 1) % 64
    text += " " * padding + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin1")
