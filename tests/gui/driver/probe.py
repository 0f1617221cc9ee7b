# SPDX-License-Identifier: MIT OR Apache-2.0
"""Measures for how long the GUI does not answer.

Qt answers AT-SPI calls in the GUI thread, so that the round trip of a cheap
call is the time for which a person's click would have waited.
"""

import threading
import time

from atspi import ACCESSIBLE, ROOT, Gone, Node

INTERVAL = 0.01


class Probe:
    """Asks the application again and again, on a connection of its own."""

    def __init__(self, bus, name_on_bus):
        self.node = Node(bus, (name_on_bus, ROOT))
        self.times = []
        self.stopping = threading.Event()
        self.asked = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(INTERVAL):
            self.asked = time.monotonic()
            try:
                self.node.get(ACCESSIBLE, "Name")
            except Gone:
                # The time up to its end is no answer that somebody waited for.
                self.asked = None
                return
            except TimeoutError:
                pass
            self.times.append(time.monotonic() - self.asked)
            self.asked = None

    def report(self):
        """Milliseconds since the last report: median and maximum."""
        times, self.times = self.times, []
        asked = self.asked
        if asked is not None:
            times = times + [time.monotonic() - asked]
        if not times:
            return {"count": 0, "median": 0.0, "max": 0.0}
        times.sort()
        return {"count": len(times), "median": times[len(times) // 2] * 1000, "max": times[-1] * 1000}

    def stop(self):
        self.stopping.set()
