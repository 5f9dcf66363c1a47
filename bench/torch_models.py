"""Models of PyTorch that the comparisons export: each name gives (model, its inputs). The weights are random."""
import torch


class Tagger(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(1000, 64)
        self.rnn = torch.nn.LSTM(64, 64, num_layers=2, batch_first=True, bidirectional=True)
        self.out = torch.nn.Linear(128, 10)

    def forward(self, tokens):
        return self.out(self.rnn(self.embedding(tokens))[0])


class Encoder(torch.nn.Module):
    def __init__(self, width=128, layers=2):
        super().__init__()
        self.embedding = torch.nn.Embedding(1000, width)
        layer = torch.nn.TransformerEncoderLayer(width, 4, 2 * width, batch_first=True, activation="gelu")
        self.layers = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, tokens):
        return self.layers(self.embedding(tokens))


def vision(name, size=224):
    def make():
        import torchvision

        return getattr(torchvision.models, name)(weights=None), (torch.randn(1, 3, size, size),)

    return make


def tokens(model, **options):
    return lambda: (model(**options), (torch.randint(0, 1000, (1, 64)),))


MODELS = {
    "ResNet50": vision("resnet50"),
    "MobileNetV3": vision("mobilenet_v3_large"),
    "EfficientNetB0": vision("efficientnet_b0"),
    "ConvNeXt": vision("convnext_tiny"),
    "ViT": vision("vit_b_16"),
    "Swin": vision("swin_t"),
    "LSTM tagger": tokens(Tagger),
    "transformer": tokens(Encoder),
    "wide transformer": tokens(Encoder, width=384, layers=6),
}


def save(name, file):
    """Exports one to a .pt2 file, the same at every run. Raises ImportError where its library is not installed."""
    torch.manual_seed(1)
    model, inputs = MODELS[name]()
    with torch.no_grad():
        torch.export.save(torch.export.export(model.eval(), inputs, strict=False), str(file))
