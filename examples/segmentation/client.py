"""Posts a grey PNG's pixels to a running `onward serve`, shows what every model answers and writes the masks as PNG.

    python3 client.py http://127.0.0.1:8080 sample1.png

Needs nothing beyond Python's standard library.
"""
import argparse
import json
import pathlib
import struct
import sys
import urllib.error
import urllib.request
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEAST_IOU = 0.8


def read_png(path):
    """Rows of pixels, 0 to 255, of an 8-bit grey PNG."""
    data = path.read_bytes()
    if not data.startswith(SIGNATURE):
        sys.exit(f"error: {path} is no PNG")
    chunks, at = {}, len(SIGNATURE)
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + size]
        at += size + 12
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if (depth, colour, interlaced) != (8, 0, 0):
        sys.exit(f"error: {path} is not a plain 8-bit grey PNG")
    raw = zlib.decompress(chunks[b"IDAT"])
    rows, above = [], bytes(width)
    for y in range(height):
        start = y * (width + 1)
        above = unfiltered(raw[start], raw[start + 1:start + 1 + width], above)
        rows.append(list(above))
    return rows


def unfiltered(kind, row, above):
    """One row as it was before PNG's filter `kind`."""
    out = bytearray(row)
    for x in range(len(out)):
        left = out[x - 1] if x else 0
        corner = above[x - 1] if x else 0
        out[x] = (out[x] + (0, left, above[x], (left + above[x]) // 2, paeth(left, above[x], corner))[kind]) & 255
    return bytes(out)


def paeth(left, up, corner):
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def write_png(path, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    raw = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    path.write_bytes(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def shape(values):
    sizes = []
    while isinstance(values, list):
        sizes.append(len(values))
        values = values[0]
    return sizes


def flat(values):
    return [value for item in values for value in flat(item)] if isinstance(values[0], list) else values


def post(url, pixels):
    body = json.dumps({"input": [[pixel / 255 for pixel in row] for row in pixels]}).encode()
    request = urllib.request.Request(url + "/predict", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"error: {url}/predict answers {error.code}: {error.read().decode()}")
    except urllib.error.URLError as error:
        sys.exit(f"error: {url} does not answer: {error.reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("image", type=pathlib.Path)
    arguments = parser.parse_args()
    pixels = read_png(arguments.image)
    height, width = len(pixels), len(pixels[0])
    masks = {}
    for key, values in post(arguments.url.rstrip("/"), pixels).items():
        mask = flat(values)
        print(f"{key}: shape {shape(values)}, first values {', '.join(f'{value:.6f}' for value in mask[:4])}")
        if len(mask) != height * width:
            sys.exit(f"error: {key} has {len(mask)} values, the picture has {height * width} pixels")
        masks[key] = [value > 0.5 for value in mask]
        path = arguments.image.with_name(f"{arguments.image.stem}.{key.removesuffix('_prediction')}_mask.png")
        write_png(path, [[255 * inside for inside in masks[key][y * width:(y + 1) * width]] for y in range(height)])
        print(f"  mask written to {path}")
    if set(masks) != {"tf_prediction", "torch_prediction"}:
        sys.exit(f"error: expected tf_prediction and torch_prediction, got {', '.join(masks) or 'nothing'}")
    first, second = masks.values()
    either = sum(a or b for a, b in zip(first, second))
    iou = sum(a and b for a, b in zip(first, second)) / either if either else 0.0
    print(f"the two masks agree with an IoU of {iou:.3f}")
    if iou < LEAST_IOU:
        sys.exit(f"error: that is less than {LEAST_IOU}")


if __name__ == "__main__":
    main()
