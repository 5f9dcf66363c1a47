"""Trains the PyTorch U-Net and writes Model.pth, Model.pt2 and torch_outputs.npz. Needs torch and numpy; a few minutes on two cores."""
import argparse
import json
import pathlib

import numpy as np
import torch

import cells
from model import Model

HERE = pathlib.Path(__file__).parent


def train(model, steps, size, batch):
    optimizer = torch.optim.AdamW(model.parameters(), 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for step in range(steps):
        images, masks = (torch.from_numpy(a)[:, None] for a in cells.batch(range(step * batch, (step + 1) * batch), size))
        predicted = model(images)
        overlap = 2 * (predicted * masks).sum() + 1
        dice = 1 - overlap / (predicted.sum() + masks.sum() + 1)
        loss = dice + torch.nn.functional.binary_cross_entropy(predicted, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1400)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = Model()
    train(model, arguments.steps, size=160, batch=8)
    model.eval()
    images, masks = cells.batch(cells.UNSEEN, 512)
    with torch.no_grad():
        predicted = torch.cat([model(torch.from_numpy(image)[None, None]) for image in images])[:, 0].numpy()
        print(f"IoU on {len(images)} unseen images: {cells.iou(predicted > 0.5, masks > 0.5):.3f}")
        torch.save(model.state_dict(), HERE / "Model.pth")
        sample = torch.from_numpy(images[:1, None])
        names = json.dumps({"inputs": Model.input_names, "outputs": Model.output_names})
        # The archive keeps its sample input; one number seen as an image keeps it small.
        blank = torch.zeros(()).expand(sample.shape)
        torch.export.save(torch.export.export(model, (blank,)), HERE / "Model.pt2", extra_files={"onward.json": names})
        expected = model(sample).numpy()
    np.savez_compressed(HERE / "torch_outputs.npz", **{"predicted mask": expected})


if __name__ == "__main__":
    main()
