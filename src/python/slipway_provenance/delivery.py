"""Brings a report to the engine once, beside the requests that the program makes anyway."""

import json
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

_path = "/api/2.0/slipway/programs"
# A program never waits longer than this for the engine ...
_patience_seconds = 0.5
# ... and pauses this many times as long as it waited: an engine that is only starting is asked again soon.
_pause_factor = 20


class Delivery:
    """Tries with each request until the engine has taken the report, or has refused it."""

    def __init__(self, engine, token):
        self._engine = urlsplit(engine)
        self._token = token
        self._lock = threading.Lock()
        self._done = False
        self._not_before = 0.0

    def deliver(self, report):
        if self._done or time.monotonic() < self._not_before:
            return
        # Other threads go on with their own requests meanwhile.
        if not self._lock.acquire(False):
            return
        begin = time.monotonic()
        try:
            self._send(json.dumps(report))
            self._done = True
        except Exception:
            end = time.monotonic()
            self._not_before = end + _pause_factor * (end - begin)
        finally:
            self._lock.release()

    def _send(self, body):
        connection = HTTPConnection(self._engine.hostname, self._engine.port, timeout=_patience_seconds)
        try:
            headers = {"Content-Type": "application/json"}
            if self._token:
                headers["Authorization"] = "Bearer " + self._token
            connection.request("POST", _path, body.encode("utf-8"), headers)
            answer = connection.getresponse()
            answer.read()
            # Any other answer stays the same, however often one asks.
            if answer.status >= 500:
                raise ConnectionError(answer.reason)
        finally:
            connection.close()
