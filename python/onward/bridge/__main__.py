"""`python -m onward.bridge torch|keras --file F --class module:Name [--input NAME=DIMS]… --out DIR`"""

import argparse
import importlib
import json
import os
import sys

from .errors import BridgeError, from_user


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m onward.bridge",
        description="Export a model that exists as a class and a weights file, with recorded samples.",
    )
    parser.add_argument("framework", choices=["torch", "keras"])
    parser.add_argument("--file", required=True, help="the weights: a state dict, or Keras weights")
    parser.add_argument("--class", dest="class_", required=True, metavar="MODULE:NAME", help="class or function")
    parser.add_argument("--input", action="append", default=[], metavar="NAME[:DTYPE]=DIMS", help="once per input")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--seed", type=int, default=0, help="of the sample inputs")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    try:
        try:
            os.makedirs(options.out, exist_ok=True)
        except OSError as error:
            raise BridgeError('cannot make folder "{}": {}'.format(options.out, error.strerror), "name another --out")
        importlib.import_module("." + options.framework + "_bridge", __package__).run(options)
    except BridgeError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return _fail(BridgeError("interrupted"))
    except MemoryError as error:
        return _fail(from_user(error, "out of memory", "free memory, or give --input smaller dimensions"))
    except Exception as error:  # a gap in the bridge: still one line, with the place
        return _fail(from_user(error, "the bridge failed"))
    return 0


def _fail(error):
    sys.stdout.flush()
    print(json.dumps(error.as_dict()), file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
