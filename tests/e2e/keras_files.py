"""Small Keras files without Keras; where a file needs weights, the example model's stand in."""
import json
import zipfile

from conftest import EXAMPLE


def _example(member):
    with zipfile.ZipFile(EXAMPLE / "Model.keras") as archive:
        return archive.read(member)


def weights_h5(path):
    """What model.save_weights writes."""
    path.write_bytes(_example("model.weights.h5"))
    return path


def keras_archive(path, class_name, config, *more, module="keras.layers", registered=None):
    """A Sequential of a 4-number input and layers (class name, config); the first may be registered elsewhere."""
    layers = [{"module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
               "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "numbers"}},
              {"module": module, "class_name": class_name, "registered_name": registered, "config": config}]
    layers += [{"module": None, "class_name": name, "registered_name": f"my_package>{name}", "config": settings}
               for name, settings in more]
    model = {"module": "keras", "class_name": "Sequential", "registered_name": None,
             "config": {"name": "small", "layers": layers}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.0"}))
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("model.weights.h5", _example("model.weights.h5"))
    return path
