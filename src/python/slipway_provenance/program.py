"""Facts about the running program that only it knows; the engine adds those that lie on the disk."""

import os
import platform
import sys

from slipway_provenance import start
from slipway_provenance.secrets import without_secrets

_most_arguments = 500
_longest_argument = 2000


def describe_program():
    kind, entry_point = _kind_and_entry_point()
    return {
        "kind": kind,
        "entry_point": entry_point,
        "command": _command(kind),
        "folder": _folder(),
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "python_executable": sys.executable or "",
        "search_path": [entry for entry in sys.path if isinstance(entry, str)][:_most_arguments],
        "prefix": sys.prefix,
    }


def _kind_and_entry_point():
    notebook = _notebook()
    if notebook is not None:
        return "notebook", notebook or None
    main = getattr(sys.modules.get("__main__"), "__file__", None) or _first(sys.argv)
    if main and os.path.isfile(main):
        return "script", os.path.abspath(os.path.join(_folder(), main))
    return "interactive", None


def _notebook():
    """What the notebook is called, or an empty text when that is unknown; None outside of notebooks."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if not hasattr(shell, "kernel"):
        return None
    return shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""


def _command(kind):
    if kind == "notebook":
        return []
    original = list(getattr(sys, "orig_argv", []))
    if not original or _is_worker(original):
        original = [sys.executable or "python"] + list(sys.argv)
    original[0] = os.path.splitext(os.path.basename(original[0]))[0] if os.name == "nt" else os.path.basename(original[0])
    arguments = [str(argument)[:_longest_argument] for argument in without_secrets(original)]
    return arguments[:_most_arguments]


def _is_worker(command):
    """Workers of multiprocessing and joblib are started with a command of their own, but keep the script's arguments."""
    return any(argument.startswith(("--multiprocessing-fork", "from multiprocessing.", "joblib.")) for argument in command)


def _folder():
    return start.folder or os.getcwd()


def _first(arguments):
    return arguments[0] if arguments else None
