# SPDX-License-Identifier: MIT OR Apache-2.0
"""Display, window manager and Calamares of a session."""

import os
import signal
import subprocess
import time

import atspi
from probe import Probe
from widgets import INTERVAL, has_keyboard

ARTEFACTS = "/opt/gui-test/artefacts"
RUNTIME = "/run/session"
# Of the screen, unless the test wants another.
SIZE = os.environ.get("GUI_TEST_SCREEN", "1024x768")


def processes():
    """The processes that have not ended, with their command lines."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            with open(f"/proc/{name}/cmdline") as file:
                line = file.read().replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            found[int(name)] = line
    return found


def mounts():
    """The mount table, by the numbers of the mounts."""
    with open("/proc/self/mountinfo") as file:
        return {line.split(" ", 1)[0]: line.rstrip("\n") for line in file}


def find_calamares(bus):
    """Calamares, once one of its windows gets the keys."""
    for application in atspi.applications(bus):
        try:
            if "calamares" in application.name().lower() and has_keyboard(application):
                return application
        except atspi.Gone:
            pass
    return None


class Desktop:
    """One display with one application on it."""

    def __init__(self):
        self.log = open(f"{ARTEFACTS}/desktop.log", "ab")
        self.start_display()
        self.spawn(["openbox"])
        # Asking for it starts it, and the registry behind it.
        self.bus = atspi.connect()
        atspi.applications(self.bus)
        self.calamares = None
        self.application = None
        self.probe = None
        self.before = None

    def spawn(self, argv, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": self.log, "stderr": self.log, **options}
        return subprocess.Popen(argv, **options)

    def start_display(self):
        """Starts Xvfb, which chooses a free number by itself: the namespace of
        its abstract sockets is the whole host's."""
        out, into = os.pipe()
        self.spawn(
            ["Xvfb", "-displayfd", str(into), "-screen", "0", f"{SIZE}x24", "-nolisten", "tcp",
             "-fbdir", RUNTIME, "-noreset"],
            pass_fds=[into])
        os.close(into)
        with open(out) as file:
            number = file.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start: see desktop.log")
        os.environ["DISPLAY"] = f":{number}"

    def start(self, argv, environment, timeout):
        """Starts Calamares and waits for its window."""
        self.before = set(processes()), set(mounts())
        log = open(f"{ARTEFACTS}/calamares.log", "ab")
        self.calamares = self.spawn(argv, env={**os.environ, **environment}, stdout=log, stderr=log)
        end = time.monotonic() + timeout
        while True:
            if self.calamares.poll() is not None:
                raise RuntimeError(f"Calamares ended at once: {self.exit_status()}")
            self.application = find_calamares(self.bus)
            if self.application:
                self.probe = Probe(atspi.connect(), self.application.name_on_bus)
                return
            if time.monotonic() > end:
                raise TimeoutError(f"no window of Calamares after {timeout} s")
            time.sleep(INTERVAL)

    def exit_status(self):
        code = self.calamares.returncode
        return {"signal": -code} if code < 0 else {"status": code}

    def obituary(self):
        """For messages: how Calamares ended, if it did."""
        if self.calamares is None or self.calamares.poll() is None:
            return ""
        return f" (Calamares has ended: {self.exit_status()})"

    def wait_exit(self, timeout):
        """Waits for the end of Calamares; tells what it left behind, after a
        moment for what is just ending."""
        try:
            self.calamares.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"Calamares still runs after {timeout} s") from error
        had_processes, had_mounts = self.before
        end = time.monotonic() + 2
        while True:
            left = {pid: line for pid, line in processes().items() if pid not in had_processes}
            if not left or time.monotonic() > end:
                break
            time.sleep(INTERVAL)
        new = [line for number, line in mounts().items() if number not in had_mounts]
        return {
            "end": self.exit_status(),
            "processes": [f"{pid} {line}" for pid, line in sorted(left.items())],
            "mounts": new,
        }

    def stop(self):
        if self.calamares and self.calamares.poll() is None:
            self.calamares.send_signal(signal.SIGKILL)
            self.calamares.wait()
