#!/usr/bin/env python3
"""`onward convert` beside torch.onnx on the same .pt2 files: time and memory of the whole process, nodes, and speed of the results.

    torch_bench.py --onward build/release/onward [--models ResNet50,…] [--runs 20] [--json out.json]

Needs numpy, onnx, onnxruntime and torch; torchvision's models take part where it is installed, torch.onnx where onnxscript is.
Without torch it says so and ends well. Both results run in the same ONNX Runtime in turns; the ratio is that of the medians.
"""
import sys

try:
    import onnx
    import torch

    from onnx_runs import compare_all, loads, measured, medians
except ImportError as missing:
    print(f"skipped: {missing}; this comparison needs numpy, onnx, onnxruntime and torch in Python")
    sys.exit(0)

THEIRS = "import sys, torch; torch.onnx.export(torch.export.load(sys.argv[1]), (), sys.argv[2], dynamo=True, opset_version=18)"


class Tagger(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(1000, 64)
        self.rnn = torch.nn.LSTM(64, 64, num_layers=2, batch_first=True, bidirectional=True)
        self.out = torch.nn.Linear(128, 10)

    def forward(self, tokens):
        return self.out(self.rnn(self.embedding(tokens))[0])


class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(1000, 128)
        layer = torch.nn.TransformerEncoderLayer(128, 4, 256, batch_first=True, activation="gelu")
        self.layers = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, tokens):
        return self.layers(self.embedding(tokens))


def vision(name, size=224):
    def make():
        import torchvision

        return getattr(torchvision.models, name)(weights=None), (torch.randn(1, 3, size, size),)

    return make


def tokens(model):
    return lambda: (model(), (torch.randint(0, 1000, (1, 64)),))


MODELS = {
    "ResNet50": vision("resnet50"),
    "MobileNetV3": vision("mobilenet_v3_large"),
    "EfficientNetB0": vision("efficientnet_b0"),
    "ConvNeXt": vision("convnext_tiny"),
    "ViT": vision("vit_b_16"),
    "Swin": vision("swin_t"),
    "LSTM tagger": tokens(Tagger),
    "transformer": tokens(Encoder),
}


def compare(name, onward, runs, folder):
    torch.manual_seed(1)
    model, inputs = MODELS[name]()
    source, ours, theirs = folder / "model.pt2", folder / "ours.onnx", folder / "theirs.onnx"
    with torch.no_grad():
        torch.export.save(torch.export.export(model.eval(), inputs, strict=False), str(source))
    row = {"model": name}
    row["s"], row["mib"] = measured([onward, "convert", str(source), "-o", str(ours), "-q"])
    row["torch_s"], row["torch_mib"] = measured([sys.executable, "-c", THEIRS, str(source), str(theirs)])
    files = [file for file in (ours, theirs) if file.exists() and loads(file)]
    for key, file in (("nodes", ours), ("torch_nodes", theirs)):
        if file in files:
            row[key] = len(onnx.load(str(file), load_external_data=False).graph.node)
    if len(files) == 2:
        row["run_ms"], row["torch_run_ms"] = medians(files, runs)
        row["ratio"] = round(row["run_ms"] / row["torch_run_ms"], 3)
    return row


compare_all(__doc__, MODELS, compare)
