"""Writes layouts.h5 beside this file: one small object for each thing the reader must understand (needs h5py, numpy)."""
import pathlib

import h5py
import numpy as np

here = pathlib.Path(__file__).parent
with h5py.File(here / "layouts.h5", "w") as f:
    f.attrs["model_config"] = '{"class_name": "Sequential"}'
    f.attrs["layer_names"] = np.array([b"dense", b"conv_1"])
    f.attrs["names"] = np.array(["one", "three"], dtype=h5py.string_dtype())
    f.attrs["count"] = np.int64(7)
    f["contiguous"] = np.arange(6, dtype=np.float32).reshape(2, 3)
    f["big"] = np.arange(4, dtype=">i4")
    f["half"] = np.array([0.5, -2], np.float16)
    f["flags"] = np.array([True, False, True])
    f["scalar"] = np.float64(2.5)
    f["empty"] = np.zeros((0, 3), np.float32)
    f.create_dataset("chunked", data=np.arange(35, dtype=np.int32).reshape(5, 7), chunks=(2, 3), compression="gzip",
                     shuffle=True, fletcher32=True)
    f.create_dataset("unwritten", (2, 2), np.float32)
    group = f.create_group("a/b")
    for i in range(40):
        group[f"member_{i:02}"] = np.full(3, i, np.int8)
with h5py.File(here / "latest.h5", "w", libver="latest") as f:
    f.attrs["text"] = "hello"
    f["group/x"] = np.arange(3, dtype=np.uint16)
