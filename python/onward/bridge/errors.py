"""The one error type, and how errors in the user's own code are told."""

import os
import sysconfig
import traceback


class BridgeError(Exception):
    """What was wrong, what to do about it, and where in the user's code it arose."""

    def __init__(self, what, hint="", where=None):
        super().__init__(what)
        self.what, self.hint, self.where = what, hint, where

    def as_dict(self):
        described = {"error": self.what, "hint": self.hint}
        if self.where:
            described["where"] = self.where
        return described


def user_line(error):
    """`file:line` of the innermost frame that lies in the user's files; None when there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return "{}:{}".format(error.filename, error.lineno)
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        if not _is_library(frame.filename):
            found = "{}:{}".format(frame.filename, frame.lineno)
    return found


def from_user(error, doing, hint=""):
    """Wraps an exception that the user's code, or a framework on its behalf, raised."""
    where = user_line(error)
    text = " ".join(str(error).split())
    if len(text) > 600:
        text = text[:600] + " ..."
    what = "{}: {}{}".format(doing, type(error).__name__, ": " + text if text else "")
    return BridgeError(what + (" ({})".format(where) if where else ""), hint, where)


def _is_library(filename):
    if filename.startswith("<"):
        return True
    path = os.path.abspath(filename)
    here = os.path.dirname(os.path.abspath(__file__))
    standard = (sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["platstdlib"])
    if any(path.startswith(folder + os.sep) for folder in (here,) + standard):
        return True
    return os.sep + "site-packages" + os.sep in path or os.sep + "dist-packages" + os.sep in path
