"""Trains the Keras U-Net and writes Model.keras, Model.h5 and keras_outputs.npz. Needs Keras 3 with TensorFlow; a few minutes on two
cores."""
import argparse
import pathlib

import keras
import numpy as np
from keras import layers

import cells

HERE = pathlib.Path(__file__).parent


def block(x, width, name):
    for i in (1, 2):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_conv{i}")(x)
        x = layers.BatchNormalization(name=f"{name}_norm{i}")(x)
        x = layers.Activation("relu", name=f"{name}_relu{i}")(x)
    return x


def build(size, channels=(8, 16, 32, 48)):
    image = keras.Input((size, size, 1), name="image")
    skips, x = [], image
    for i, width in enumerate(channels):
        if i:
            x = layers.MaxPooling2D(name=f"pool{i}")(x)
        x = block(x, width, f"down{i}")
        skips.append(x)
    for i, width in reversed(list(enumerate(channels[:-1]))):
        x = layers.Conv2DTranspose(width, 2, strides=2, name=f"up{i}")(x)
        x = block(layers.Concatenate(name=f"join{i}")([skips[i], x]), width, f"merge{i}")
    mask = layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x)
    return keras.Model(image, mask, name="cells")


def loss(truth, predicted):
    overlap = 2 * keras.ops.sum(truth * predicted) + 1
    dice = 1 - overlap / (keras.ops.sum(truth) + keras.ops.sum(predicted) + 1)
    return dice + keras.ops.mean(keras.losses.binary_crossentropy(truth, predicted))


def train(model, steps, size, batch):
    schedule = keras.optimizers.schedules.CosineDecay(4e-3, steps)
    model.compile(keras.optimizers.AdamW(schedule), loss)
    for step in range(steps):
        images, masks = cells.batch(range(step * batch, (step + 1) * batch), size)
        value = model.train_on_batch(images[..., None], masks[..., None])
        if step % 50 == 0:
            print(f"step {step}: loss {value:.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1400)
    arguments = parser.parse_args()
    keras.utils.set_random_seed(0)
    small, model = build(160), build(512)  # convolutions learn as well on smaller images, and faster
    train(small, arguments.steps, size=160, batch=8)
    model.set_weights(small.get_weights())
    images, masks = cells.batch(cells.UNSEEN, 512)
    predicted = np.concatenate([model.predict(image[None, ..., None], verbose=0) for image in images])[..., 0]
    print(f"IoU on {len(images)} unseen images: {cells.iou(predicted > 0.5, masks > 0.5):.3f}")
    model.save(HERE / "Model.keras")
    model.save(HERE / "Model.h5")
    np.savez_compressed(HERE / "keras_outputs.npz", mask=predicted[:1, ..., None])


if __name__ == "__main__":
    main()
