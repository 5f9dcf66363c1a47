#!/usr/bin/env python3
"""Writes the pictures that image_test.cpp reads (needs Pillow): 3 x 2 pixels with the values listed there."""
import pathlib
import struct
import zlib

from PIL import Image

HERE = pathlib.Path(__file__).parent
GREY = bytes([0, 50, 100, 150, 200, 255])
COLOUR = bytes(range(10, 28))


def png(name, colour_type, depth, data, palette=None, interlace=0):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = len(data) // 2
    raw = b"".join(b"\0" + data[y * row:(y + 1) * row] for y in range(2))
    header = struct.pack(">IIBBBBB", 3, 2, depth, colour_type, 0, 0, interlace)
    (HERE / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + (chunk(b"PLTE", palette) if palette else b"") +
                              chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def interleave(data, alpha, size):
    """A channel of `alpha` after every `size` bytes."""
    return b"".join(data[i:i + size] + alpha for i in range(0, len(data), size))


wide = b"".join(struct.pack(">H", 257 * value) for value in GREY)
wide_colour = b"".join(struct.pack(">H", 256 * value + 1) for value in COLOUR)
png("grey.png", 0, 8, GREY)
png("grey16.png", 0, 16, wide)
png("grey1.png", 0, 1, bytes([0b10100000, 0b01000000]))
png("grey_alpha.png", 4, 8, interleave(GREY, b"\x07", 1))
png("grey_alpha16.png", 4, 16, interleave(wide, b"\x07\x07", 2))
png("rgb.png", 2, 8, COLOUR)
png("rgb16.png", 2, 16, wide_colour)
png("rgba.png", 6, 8, interleave(COLOUR, b"\x07", 3))
png("rgba16.png", 6, 16, interleave(wide_colour, b"\x07\x07", 6))
png("palette.png", 3, 2, bytes([0b00011000, 0b10010000]), palette=bytes([1, 2, 3, 4, 5, 6, 7, 8, 9]))
Image.frombytes("L", (16, 8), bytes([128] * 128)).save(HERE / "grey.jpg", quality=95)
Image.frombytes("RGB", (16, 8), bytes([200, 100, 50] * 128)).save(HERE / "rgb.jpg", quality=95, subsampling=0)
Image.frombytes("RGB", (16, 8), bytes([200, 100, 50] * 128)).save(HERE / "progressive.jpg", quality=95, progressive=True)
