"""Draws microscope-like images of cells, with their masks. Pure numpy; the same seed gives the same image."""
import numpy as np


def _smooth_noise(rng, size, coarse):
    """Noise of `coarse` x `coarse` values, interpolated bilinearly to `size` x `size`, in -1..1."""
    grid = rng.uniform(-1, 1, (coarse + 1, coarse + 1))
    at = np.linspace(0, coarse, size, endpoint=False)
    low = at.astype(int)
    part = at - low
    rows = grid[low] * (1 - part)[:, None] + grid[low + 1] * part[:, None]
    return rows[:, low] * (1 - part) + rows[:, low + 1] * part


def _cell_mask(rng, yy, xx, size):
    """One cell: an ellipse whose outline wobbles."""
    cy, cx = rng.uniform(0, size, 2)
    radius = rng.uniform(9, 34)
    stretch, angle = rng.uniform(0.6, 1.0), rng.uniform(0, np.pi)
    dy, dx = yy - cy, xx - cx
    u = dx * np.cos(angle) + dy * np.sin(angle)
    v = (dy * np.cos(angle) - dx * np.sin(angle)) / stretch
    theta = np.arctan2(v, u)
    outline = radius * (1 + 0.08 * np.sin(2 * theta + rng.uniform(0, 6)) + 0.06 * np.sin(3 * theta + rng.uniform(0, 6)))
    distance = np.hypot(u, v) / outline
    return distance, radius


def draw(seed, size=512):
    """Returns (image, mask): uint8 grey image and uint8 mask (255 inside a cell), both size x size."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32)
    bright = rng.random() < 0.75  # cells lighter than the ground, or darker
    image = np.full((size, size), rng.uniform(0.25, 0.4) if bright else rng.uniform(0.6, 0.75))
    mask = np.zeros((size, size), bool)
    for _ in range(int(rng.integers(14, 46) * (size / 512) ** 2) + 1):
        distance, radius = _cell_mask(rng, yy, xx, size)
        inside = distance < 1
        strength = rng.uniform(0.16, 0.42) * (1 if bright else -1)
        profile = np.clip(1.15 - 0.35 * distance**2, 0, None) * np.clip((1.06 - distance) * radius / 3, 0, 1)
        image = np.where(profile > 0, image + strength * profile * (0.6 + 0.4 * ~mask), image)
        if rng.random() < 0.7:  # a nucleus
            image += np.where(distance < 0.4, 0.12 * (1 if bright else -1), 0)
        mask |= inside
    light = 1 + 0.28 * _smooth_noise(rng, size, 2) + 0.06 * _smooth_noise(rng, size, 8)
    image = image * light + 0.03 * _smooth_noise(rng, size, 48)
    for _ in range(int(rng.integers(0, 12))):  # dust: specks that are no cells
        y, x = rng.integers(0, size, 2)
        r = int(rng.integers(1, 3))
        image[max(0, y - r):y + r, max(0, x - r):x + r] += rng.uniform(-0.3, 0.3)
    image += rng.normal(0, rng.uniform(0.02, 0.06), image.shape)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8), mask.astype(np.uint8) * 255


def batch(seeds, size):
    """float32 images in 0..1 and masks in {0, 1}, each (N, size, size)."""
    pairs = [draw(seed, size) for seed in seeds]
    return (np.stack([p[0] for p in pairs]).astype(np.float32) / 255,
            np.stack([p[1] for p in pairs]).astype(np.float32) / 255)


def iou(predicted, truth):
    """Intersection over union of two boolean masks, over all images together."""
    return float(np.logical_and(predicted, truth).sum() / np.logical_or(predicted, truth).sum())


# Seeds: training below 100000, the images nobody trains on from there.
UNSEEN = range(100000, 100016)
