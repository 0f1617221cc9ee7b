# SPDX-License-Identifier: MIT OR Apache-2.0
"""Drives a Calamares that somebody else started: attach.py PORT.

The port is a file for requests and answers, for example a virtual machine's
serial port. The request `attach` comes first, and again after Calamares was
started anew. Pictures and the end of Calamares are somebody else's too.
"""

import os
import subprocess
import sys
import time

import atspi
import widgets
from desktop import find_calamares
from main import Driver

# In an emulated machine a page takes long to load, and each look takes time
# from what is looked at.
atspi.LIMIT_MS = 120_000
widgets.INTERVAL = 0.5


def session_of(name):
    """The environment of the process with this name, None while there is none."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read().strip() != name:
                    continue
            with open(f"/proc/{pid}/environ", "rb") as file:
                entries = file.read().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        found = dict(entry.split("=", 1) for entry in entries if "=" in entry)
        if "DBUS_SESSION_BUS_ADDRESS" in found:
            return found
    return None


class Attached:
    """A display and an application on it, both of another session."""

    def __init__(self):
        self.application = None

    def attach(self, timeout):
        """Waits for Calamares' window."""
        self.application = None
        end = time.monotonic() + timeout
        why = "no process calamares"
        while True:
            session = session_of("calamares")
            if session:
                for name in ["DISPLAY", "XAUTHORITY"]:
                    if name in session:
                        os.environ[name] = session[name]
                try:
                    bus = atspi.connect(session["DBUS_SESSION_BUS_ADDRESS"])
                    self.application = find_calamares(bus)
                    why = "no window of Calamares"
                except (atspi.GLib.Error, atspi.Gone, TimeoutError) as error:
                    why = str(error)
            if self.application:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{why} after {timeout} s")
            time.sleep(widgets.INTERVAL)

    def spawn(self, argv, **options):
        return subprocess.Popen(argv, **{
            "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL, **options})

    def obituary(self):
        return "" if session_of("calamares") else " (there is no process calamares)"

    def stop(self):
        """It goes on."""


class Attaching(Driver):
    """The driver, with the request that only it has."""

    def attach(self, request):
        self.desktop.attach(request["timeout"])


if __name__ == "__main__":
    # Opened once: a port lets nobody in while somebody has it.
    port = os.open(sys.argv[1], os.O_RDWR)
    with os.fdopen(os.dup(port), "rb") as requests, os.fdopen(port, "w") as answers:
        lines = (line.decode() for line in iter(requests.readline, b""))
        Attaching(Attached()).serve(lines, answers)
