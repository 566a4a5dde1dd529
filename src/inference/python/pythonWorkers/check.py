"""Entry: check.py <folder of a model>. Says how this interpreter fits to the model's requirements; loads none of it."""

import os
import re
import sys

from slipway_models.channel import Channel

_needed = "mlflow"
_slim = "mlflow-skinny"
"""The same without a server and what it needs; models that were logged with it still ask for the other."""


def check(folder):
    """Compares what `requirements.txt` and `python_env.yaml` ask for with what is installed."""
    missing = []
    different = []
    lines = _requirement_lines(os.path.join(folder, "requirements.txt"))
    if not any(_name(line) in (_needed, _slim) for line in lines):
        lines.insert(0, _needed)
    for line in lines:
        found = _installed_version(_name(line))
        wanted = _wanted(line)
        if found is None:
            missing.append(line)
        elif wanted and not _fits(found, wanted):
            different.append({"name": _name(line), "wanted": wanted, "found": found})
    here = "{}.{}.{}".format(*sys.version_info)
    wanted_python = _wanted_python(os.path.join(folder, "python_env.yaml"))
    return {
        "pythonVersion": here,
        "wantedPython": wanted_python if wanted_python and wanted_python.split(".")[:2] != here.split(".")[:2] else None,
        "missing": missing,
        "different": different,
    }


def _requirement_lines(file):
    if not os.path.isfile(file):
        return []
    with open(file, encoding="utf-8") as lines:
        stripped = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in lines)
        # Addresses, files and options name no package that could be looked up.
        return [line for line in stripped if re.match(r"^[A-Za-z0-9]", line) and "://" not in line and _applies(line)]


def _applies(line):
    """Whether the condition of a requirement, such as `; python_version < "3.9"`, is true here."""
    _, semicolon, condition = line.partition(";")
    if not semicolon:
        return True
    try:
        from packaging.markers import Marker
    except ImportError:
        return True
    return Marker(condition.strip()).evaluate()


def _name(line):
    return re.split(r"[\s\[=<>!~;@]", line, maxsplit=1)[0].lower().replace("_", "-")


def _wanted(line):
    match = re.match(r"^[^\s\[=<>!~;@]+(?:\[[^\]]*\])?\s*([=<>!~][^;]*)", line)
    return match.group(1).strip() if match else ""


def _installed_version(name):
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return _installed_version(_slim) if name == _needed else None


def _fits(found, wanted):
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return wanted == "==" + found
    return SpecifierSet(wanted).contains(found, prereleases=True)


def _wanted_python(file):
    if not os.path.isfile(file):
        return None
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            match = re.match(r"^python:\s*['\"]?([\d.]+)", line)
            if match:
                return match.group(1)
    return None


if __name__ == "__main__":
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    channel = Channel()
    channel.send(check(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)
