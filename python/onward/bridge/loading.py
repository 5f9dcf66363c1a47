"""Finds what `--class module:Name` names."""

import ast
import importlib
import os
import sys

from .errors import BridgeError, from_user

_FACTORY_HINT = (
    "give its arguments, e.g. --class '{1}:{0}(10, depth=3)', or name a function that builds the model: "
    "`def build(): return {0}(…)` and --class {1}:build"
)
_ARGUMENTS_HINT = "numbers, texts, True, False, None and lists, tuples, dicts and sets of them, e.g. 'model:Net(10, name=\"a\")'"


def check_file(path):
    if not os.path.exists(path):
        raise BridgeError('no file "{}"'.format(path), "check the path of the weights file")
    if os.path.isdir(path):
        raise BridgeError('"{}" is a folder'.format(path), "name the weights file itself")


def split_arguments(reference):
    """`module:Name(1, depth=2)` as its name, positional and keyword arguments: literals only, nothing is evaluated."""
    name, bracket, _ = reference.partition("(")
    if not bracket:
        return reference, [], {}
    try:
        call = ast.parse("f" + reference[len(name) :].strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("what follows the name is no list of arguments")
        if any(keyword.arg is None for keyword in call.keywords):
            raise ValueError("** is not allowed")
        values = [ast.literal_eval(value) for value in call.args]
        return name.strip(), values, {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise BridgeError(
            'the arguments in --class "{}" cannot be read: {}'.format(reference, error), _ARGUMENTS_HINT
        ) from error


def find(reference, weights_file):
    """The object behind `module:Name`; the module may also be a path ending in .py."""
    reference = split_arguments(reference)[0]
    module_name, colon, attribute = reference.rpartition(":")
    if not colon or not module_name or not attribute:
        raise BridgeError(
            '--class "{}" is not module:Name'.format(reference),
            "e.g. --class model:Model for class Model in model.py",
        )
    folders = [os.path.dirname(os.path.abspath(weights_file)), os.getcwd()]
    if module_name.endswith(".py"):
        folders.insert(0, os.path.dirname(os.path.abspath(module_name)))
        module_name = os.path.splitext(os.path.basename(module_name))[0]
    for folder in reversed(folders):
        sys.path.insert(0, folder)
    found = _import(module_name, folders)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise BridgeError(
                'module "{}" ({}) has no "{}"'.format(module_name, getattr(found, "__file__", "?"), part),
                _names_hint(found),
            )
        found = getattr(found, part)
    return found


def create(found, reference, is_model):
    """A model from a class, a function or a model object."""
    reference, positional, keywords = split_arguments(reference)
    if is_model(found) and not isinstance(found, type):
        if positional or keywords:
            raise BridgeError('"{}" is a model already and takes no arguments'.format(reference), "leave them out")
        return found
    if not callable(found):
        raise BridgeError(
            '"{}" is {}, not a model class or a function that builds one'.format(reference, type(found).__name__),
            "name the model's class, or a function that returns the model",
        )
    module, _, name = reference.rpartition(":")
    try:
        model = found(*positional, **keywords)
    except Exception as error:
        hint = _FACTORY_HINT.format(name, module) if isinstance(error, TypeError) else ""
        raise from_user(error, "building {} failed".format(reference), hint) from error
    if not is_model(model):
        raise BridgeError(
            '"{}" gave {}, not a model'.format(reference, type(model).__name__),
            "name the model's class, or a function that returns the model",
        )
    return model


def _import(module_name, folders):
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise BridgeError(
                'no module "{}"'.format(module_name),
                "looked in {} and in Python's own path; put the file beside the weights, or run from its "
                "folder".format(" and ".join(dict.fromkeys(folders))),
            ) from error
        hint = 'install "{}" in this Python ({}), or name another with --python'.format(error.name, sys.executable)
        raise from_user(error, 'importing "{}" failed'.format(module_name), hint) from error
    except Exception as error:
        raise from_user(error, 'importing "{}" failed'.format(module_name)) from error


def _names_hint(module):
    own = [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ] if hasattr(module, "__dict__") and hasattr(module, "__name__") else []
    return "it has: " + ", ".join(own[:10]) if own else "check the name after the colon"
