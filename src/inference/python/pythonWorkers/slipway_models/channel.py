"""The conversation with the process that started this one: frames on the standard input and output.

A frame is the length of its header (4 bytes) and of its body (8 bytes), little-endian, then the header as JSON in
UTF-8, then the body. `src/inference/python/frames.ts` is the other end.
"""

import ctypes
import json
import os
import queue
import signal
import struct
import sys
import threading

_prefix = struct.Struct("<IQ")


class Channel:
    """Frames from and to the parent. This process ends at once when the parent is gone, whatever it is at."""

    def __init__(self):
        _end_with_parent()
        self._input = _take(0, "rb")
        self._output = _take(1, "wb")
        # What models print belongs to nobody's protocol.
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._frames = queue.Queue()
        threading.Thread(target=self._read, name="slipway-channel", daemon=True).start()

    def receive(self):
        """The header and the body of the next frame."""
        return self._frames.get()

    def send(self, header, chunks=()):
        """Sends a frame whose body is the chunks, one after the other."""
        text = json.dumps(header).encode("utf-8")
        self._output.write(_prefix.pack(len(text), sum(len(chunk) for chunk in chunks)))
        self._output.write(text)
        for chunk in chunks:
            self._output.write(chunk)
        self._output.flush()

    def _read(self):
        # In a thread of its own, so that the end of the parent shows while a model runs, too.
        try:
            while True:
                header_length, body_length = _prefix.unpack(self._read_all(_prefix.size))
                header = json.loads(self._read_all(header_length).decode("utf-8"))
                self._frames.put((header, self._read_all(body_length)))
        finally:
            os._exit(0)

    def _read_all(self, length):
        content = self._input.read(length)
        if len(content) < length:
            raise EOFError
        return content


def _take(descriptor, mode):
    """A file of its own for a standard descriptor, which is then free for something else."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(descriptor, os.O_BINARY)
    copy = os.dup(descriptor)
    if sys.platform == "win32":
        msvcrt.setmode(copy, os.O_BINARY)
    return os.fdopen(copy, mode, buffering=1024 * 1024)


_set_parent_death_signal = 1


def _end_with_parent():
    """Where the system offers it: native code that holds the interpreter's lock would keep the thread from noticing."""
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).prctl(_set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    except (AttributeError, OSError):
        # A C library without it: the closed input remains.
        return
