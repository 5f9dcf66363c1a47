"""What a bridge leaves in its output folder beside the model."""

import json
import os
import platform

from . import npz


def write(folder, description, inputs, outputs):
    """Writes inputs.npz, outputs.npz and, last, bridge.json: where it is, the rest is complete."""
    npz.write(os.path.join(folder, "inputs.npz"), inputs)
    npz.write(os.path.join(folder, "outputs.npz"), outputs)
    description = dict(description, python=platform.python_version())
    temporary = os.path.join(folder, "bridge.json.part")
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(description, file, indent=2)
        file.write("\n")
    os.replace(temporary, os.path.join(folder, "bridge.json"))
