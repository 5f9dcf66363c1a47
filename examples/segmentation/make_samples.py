"""Writes the three sample images, drawn like the ones nobody trained on. Needs numpy only."""
import pathlib
import struct
import zlib

import cells


def write_png(path, image):
    """An 8-bit grey PNG."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) +
                     chunk(b"IEND", b""))


if __name__ == "__main__":
    for i, seed in enumerate(list(cells.UNSEEN)[:3], 1):
        write_png(pathlib.Path(__file__).parent / f"sample{i}.png", cells.draw(seed)[0])
