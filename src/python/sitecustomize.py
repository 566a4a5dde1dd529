"""Lets the MLflow client of a Python program tell Slipway which program it runs in.

The terminals of the editor put the folder of this file first on PYTHONPATH, so Python imports it at start-up. It
installs nothing and changes nothing of the program: it answers MLflow's own search for plugins, and only that one.
It runs in every Python of such a terminal, so it is small, imports nothing, and then runs the `sitecustomize` that
it stands before.
"""

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
_asking_module = "mlflow.tracking.request_header.registry"


class _Plugins(object):
    """Offers the plugin to MLflow as an installed package would; packages of this name are listed nowhere."""

    def __init__(self):
        # The program may go elsewhere before it asks.
        self._folder = os.getcwd()

    def find_spec(self, name, path=None, target=None):
        return None

    def find_distributions(self, context=None):
        spec = getattr(sys.modules.get(_asking_module), "__spec__", None)
        if not getattr(spec, "_initializing", False):
            return []
        from slipway_provenance import start
        from slipway_provenance.distribution import SlipwayDistribution

        start.folder = self._folder
        return [SlipwayDistribution()]


def _forget_working_folder():
    """Removes what an empty PYTHONPATH made of the editor's prefix: its last, empty entry means the working folder."""
    value = os.environ.get("PYTHONPATH", "")
    ours = value[: -len(os.pathsep)]
    if not value.endswith(os.pathsep) or ours.rpartition(os.pathsep)[2] != _entry_of_this_folder():
        return
    os.environ["PYTHONPATH"] = ours
    folder = os.getcwd()
    position = sys.path.index(_here) + 1
    if not _is_same(sys.path[position], folder):
        return
    del sys.path[position]
    # Its .pth file named a folder that was there already, so it was not added at its own place.
    if _is_named_by_packages(folder):
        sys.path.append(folder)


def _entry_of_this_folder():
    for entry in os.environ["PYTHONPATH"].split(os.pathsep):
        if entry and _is_same(entry, _here):
            return entry
    return None


def _is_named_by_packages(folder):
    for site_folder in sys.path:
        if os.path.basename(site_folder) not in ("site-packages", "dist-packages"):
            continue
        for name in os.listdir(site_folder):
            if not name.endswith(".pth"):
                continue
            with open(os.path.join(site_folder, name), "rb") as file:
                lines = file.read().decode("utf-8", "replace").splitlines()
            if any(line.strip() and _is_same(os.path.join(site_folder, line.strip()), folder) for line in lines):
                return True
    return False


def _is_same(one, other):
    return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))


def _run_the_next():
    """Runs the `sitecustomize` that would have been imported without this one; its errors are its own."""
    path = [entry for entry in sys.path if not _is_same(entry, _here)]
    for finder in sys.meta_path:
        if getattr(finder, "__name__", "") != "PathFinder":
            continue
        spec = finder.find_spec("sitecustomize", path)
        if spec is None or spec.loader is None:
            return
        from importlib.util import module_from_spec

        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)
        return


try:
    if os.environ.get("SLIPWAY_ENGINE_URL"):
        sys.meta_path.append(_Plugins())
    _forget_working_folder()
except Exception:
    # Nothing here may keep a program from starting, or write to its output.
    pass
_run_the_next()
