"""Keras 2 and 3: a class or function and a weights file -> a SavedModel, sample inputs and outputs."""

import os
import sys

from . import loading, npz, report
from .errors import BridgeError, from_user
from .specs import InputSpec, parse_inputs, sample_sizes


def run(options):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        import numpy
        import tensorflow
        import keras
    except ImportError as error:
        raise BridgeError(
            "this Python ({}) lacks {}: a Keras class needs TensorFlow and Keras".format(
                sys.executable, error.name or error
            ),
            "name the Python that the model is trained with by --python, or install tensorflow",
        ) from error
    loading.check_file(options.file)
    specs = parse_inputs(options.input)
    tensorflow.random.set_seed(options.seed)
    found = loading.find(options.class_, options.file)
    bases = (keras.Model, tensorflow.keras.Model)
    model = loading.create(found, options.class_, lambda value: isinstance(value, bases))

    specs = _named(model, specs) if specs else _own_specs(model)
    values = sample_inputs(numpy, specs, options.seed)
    answer = _call(tensorflow, model, specs, values)  # also builds the model: its weights exist from here on
    load_weights(model, options.file)
    answer = _call(tensorflow, model, specs, values)
    signature = export(tensorflow, model, specs, os.path.join(options.out, "saved_model"))

    fed, outputs = _ask(tensorflow, signature, specs, values)
    _agree(numpy, tensorflow, answer, outputs)
    report.write(
        options.out,
        {
            "framework": "keras",
            "version": str(keras.__version__),
            "tensorflow": str(tensorflow.__version__),
            "class": options.class_,
            "model": "saved_model",
            "format": "saved_model",
            "signature": "serving_default",
            "inputs": [
                {"name": name, "dtype": spec.dtype, "shape": spec.dims} for name, spec in zip(fed, specs)
            ],
            "outputs": [
                {"name": name, "dtype": str(value.dtype), "shape": list(value.shape)}
                for name, value in outputs.items()
            ],
            "notes": [],
        },
        {name: _record(value) for name, value in fed.items()},
        {name: _record(value) for name, value in outputs.items()},
    )


def load_weights(model, path):
    try:
        model.load_weights(path)
    except Exception as error:
        raise from_user(
            error,
            '"{}" does not fit the model'.format(path),
            "load it with the model that wrote it; Keras 3 wants weights files to end in .weights.h5, .h5 or .keras",
        ) from error


def sample_inputs(numpy, specs, seed):
    """Seeded values: floats in [0, 1), integers 0 and 1."""
    random = numpy.random.RandomState(seed)
    chosen = sample_sizes(specs)
    values = []
    for spec in specs:
        integers = "int" in spec.dtype or spec.dtype == "bool"
        sizes = spec.sizes(chosen)
        try:
            kind = numpy.dtype(spec.dtype)
        except TypeError as error:
            raise BridgeError(
                "no sample can be made of dtype {}".format(spec.dtype), "feed float32 and cast"
            ) from error
        value = random.randint(0, 2, sizes) if integers else random.random_sample(sizes)
        values.append(numpy.asarray(value).astype(kind))
    return values


def export(tensorflow, model, specs, folder):
    """Writes the SavedModel and returns its serving signature, loaded again."""
    try:
        if hasattr(model, "export"):
            model.export(folder)
        else:
            model.save(folder, save_format="tf")
        loaded = tensorflow.saved_model.load(folder)
    except Exception as error:
        raise from_user(error, "exporting the model failed") from error
    signature = loaded.signatures["serving_default"]
    signature.onward_owner = loaded  # keeps the variables alive
    return signature


def _own_specs(model):
    """The inputs that a functional or built model knows itself."""
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise BridgeError(
            "the model does not know its inputs (it is subclassed and was never called)",
            'add --input "NAME=DIMS" for each, e.g. --input "image=-1,224,224,3"',
        )
    names = getattr(model, "input_names", None) or [tensor.name.split(":")[0] for tensor in inputs]
    specs = []
    for index, (name, tensor) in enumerate(zip(names, inputs)):
        dtype = getattr(tensor.dtype, "name", None) or str(tensor.dtype)
        dims = [
            int(size) if size is not None else "batch" if axis == 0 else "d{}_{}".format(index, axis)
            for axis, size in enumerate(tensor.shape)
        ]
        specs.append(InputSpec(name, dtype, dims))
    return specs


def _named(model, specs):
    inputs = getattr(model, "inputs", None)
    if inputs and len(inputs) != len(specs):
        raise BridgeError(
            "{} --input options, but the model has {} inputs".format(len(specs), len(inputs)),
            "leave --input away: the model knows its inputs",
        )
    return specs


def _call(tensorflow, model, specs, values):
    tensors = [tensorflow.constant(value) for value in values]
    structure = getattr(model, "input", None) if getattr(model, "inputs", None) else None
    fed = tensors[0] if len(tensors) == 1 else tensors
    if isinstance(structure, dict):
        fed = dict(zip(structure, tensors))
    try:
        return model(fed, training=False)
    except Exception as error:
        given = ", ".join('"{}" {} {}'.format(s.name, s.dtype, list(v.shape)) for s, v in zip(specs, values))
        raise from_user(
            error, "the model failed on a sample input ({})".format(given), "do --input's names and dimensions fit?"
        ) from error


def _ask(tensorflow, signature, specs, values):
    """Runs the exported signature; returns what was fed and what it answered, by its own names."""
    wanted = signature.structured_input_signature[1]
    names = list(wanted)
    by_name = {spec.name: value for spec, value in zip(specs, values)}
    if set(names) == set(by_name):
        fed = {spec.name: value for spec, value in zip(specs, values)}
    elif len(names) == len(values):
        fed = dict(zip(names, values))
    else:
        raise BridgeError(
            "the exported model takes {}, not {}".format(", ".join(names), ", ".join(by_name)),
            "give one --input for each",
        )
    answers = signature(**{name: tensorflow.constant(value) for name, value in fed.items()})
    return fed, {name: value.numpy() for name, value in answers.items()}


def _agree(numpy, tensorflow, answer, outputs):
    """The export must answer as the model does; a difference means dropout or state that the export froze."""
    flat = [numpy.asarray(value) for value in tensorflow.nest.flatten(answer)]
    for value in flat:
        if not any(
            value.shape == other.shape and numpy.allclose(value, other, rtol=1e-3, atol=1e-4, equal_nan=True)
            for other in outputs.values()
        ):
            raise BridgeError(
                "the exported model answers otherwise than the model itself",
                "does the model use random numbers, or keep state between calls?",
            )


def _record(value):
    import numpy

    name = str(value.dtype)
    if not npz.supports(name):
        raise BridgeError("a tensor of dtype {} cannot be recorded".format(name), "return it as another dtype")
    plain = numpy.ascontiguousarray(value)
    return name, list(value.shape), plain.tobytes()
