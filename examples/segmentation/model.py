"""A small U-Net in PyTorch. `onward convert Model.pth --class model:Model` reads the names of inputs and outputs here."""
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


class Model(nn.Module):
    input_names = ["input image"]
    output_names = ["predicted mask"]

    def __init__(self, channels=(8, 16, 32, 48)):
        super().__init__()
        self.down = nn.ModuleList()
        inputs = 1
        for width in channels:
            self.down.append(Block(inputs, width))
            inputs = width
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList()
        self.merge = nn.ModuleList()
        for width in reversed(channels[:-1]):
            self.up.append(nn.ConvTranspose2d(inputs, width, 2, stride=2))
            self.merge.append(Block(2 * width, width))
            inputs = width
        self.head = nn.Conv2d(inputs, 1, 1)

    def forward(self, image):
        skips = []
        x = image
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else self.pool(x))
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips[:-1])):
            x = merge(torch.cat([skip, up(x)], dim=1))
        return torch.sigmoid(self.head(x))
