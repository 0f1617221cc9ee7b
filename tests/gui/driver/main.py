# SPDX-License-Identifier: MIT OR Apache-2.0
"""Drives a session: a JSON object a line in, one out for each.

A request is {"do": NAME, ...}; the answer {"ok": RESULT} or {"error": TEXT}.
The end of the input is the end of the session.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback

import widgets
from atspi import Gone
from desktop import ARTEFACTS, RUNTIME, Desktop
from png import screenshot

# Of xdotool's keys: as fast as a person at least.
KEY_DELAY_MS = "8"
FOCUS_TRIES = 5
CLOSE_TRIES = 5
# Until the question shows that follows a request to close.
QUESTION_S = 5
# Of these the actions of AT-SPI in QML either change the state or tell the page,
# never both: they are clicked, at their mark.
MARKED = {"check box", "radio button"}
MARK = 12


class Driver:
    """The requests, each a method."""

    def __init__(self, desktop):
        self.desktop = desktop

    @property
    def application(self):
        if self.desktop.application is None:
            raise RuntimeError("Calamares was not started")
        return self.desktop.application

    def wait_for(self, request):
        return widgets.wait(self.application, request["want"], request["timeout"])

    def start(self, request):
        self.desktop.start(request["argv"], request["environment"], request["timeout"])

    def wait(self, request):
        return self.wait_for(request).describe()

    def wait_gone(self, request):
        widgets.wait(self.application, request["want"], request["timeout"], gone=True)

    def find(self, request):
        want = request["want"]
        widget = widgets.find(widgets.look(self.application, want.get("anywhere", False)), want)
        return widget and widget.describe()

    def press(self, request):
        request["want"]["sensitive"] = True
        widget = self.wait_for(request)
        if widget.role in MARKED:
            return self.click_on(widget.node, MARK)
        widget.node.act(["Press", "Toggle"])
        widgets.wait_released(widget.node)

    def type(self, request):
        """Types into a field, as a person does: some fields take no notice of
        a text that was set from outside. Gives what the field holds then."""
        node, text = self.wait_for(request).node, request["text"]
        self.give_keyboard(node)
        self.keys(["key", "--clearmodifiers", "ctrl+a", "BackSpace"])
        if text.isascii():
            self.keys(["type", "--clearmodifiers", "--delay", KEY_DELAY_MS, "--file", "-"], text)
            return widgets.wait_text(node, len(text))
        # xdotool loses what the keyboard layout lacks: paste it.
        clipboard = self.desktop.spawn(
            ["xclip", "-selection", "clipboard", "-quiet"], stdin=subprocess.PIPE)
        try:
            clipboard.stdin.write(text.encode())
            clipboard.stdin.close()
            self.wait_clipboard(text, request["timeout"])
            self.keys(["key", "--clearmodifiers", "ctrl+v"])
            return widgets.wait_text(node, len(text))
        finally:
            clipboard.kill()
            clipboard.wait()

    def wait_clipboard(self, text, timeout):
        """Waits until the clipboard has this text: its owner has to start."""
        end = time.monotonic() + timeout
        read = ["xclip", "-selection", "clipboard", "-o"]
        while subprocess.run(read, capture_output=True).stdout != text.encode():
            if time.monotonic() > end:
                raise TimeoutError("the clipboard does not take the text")
            time.sleep(widgets.INTERVAL)

    def give_keyboard(self, node):
        """Clicks until the field has the keyboard: a page in QML is a window of
        its own, which only a click activates, and that takes the window
        manager a moment."""
        for _ in range(FOCUS_TRIES):
            self.click_on(node)
            if widgets.wait_state(node, "focused"):
                return
        raise TimeoutError("the field does not get the keyboard")

    def set_text(self, request):
        self.wait_for(request).node.set_text(request["text"])

    def focus(self, request):
        self.wait_for(request).node.focus()

    def select(self, request):
        """Chooses an item of a list or of a combo box by its name."""
        widget = self.wait_for(request)
        names = []
        for holder in [widget.node, *widget.node.children()]:
            for index, child in enumerate(holder.children()):
                names.append(child.name())
                if names[-1] == request["item"]:
                    return holder.select_child(index)
        raise LookupError(f"no item {request['item']!r} in {names}")

    def value(self, request):
        value, most = self.wait_for(request).node.value()
        return value / most if most else value

    def extents(self, request):
        return self.wait_for(request).node.extents()

    def dump(self, request):
        return [widget.line() for widget in widgets.look(self.application, anywhere=True)]

    def click(self, request):
        """Clicks into the middle of a widget."""
        request["want"]["sensitive"] = True
        self.click_on(self.wait_for(request).node)

    def click_on(self, node, left=None):
        x, y, width, height = node.extents()
        left = width // 2 if left is None else left
        self.keys(["mousemove", str(x + left), str(y + height // 2), "click", "1"])

    def key(self, request):
        widgets.wait_keyboard(self.application, request["timeout"])
        self.keys(["key", "--clearmodifiers", *request["keys"]])

    def close(self, request):
        """Asks the window manager to close the window, until the question
        shows: a key that comes while the window is still being shown is lost."""
        for _ in range(CLOSE_TRIES):
            self.key({**request, "keys": ["alt+F4"]})
            try:
                return self.wait({"want": {"role": "dialog"}, "timeout": QUESTION_S})
            except TimeoutError:
                continue
        raise TimeoutError("no question follows when the window is closed")

    def keys(self, arguments, text=None):
        subprocess.run(["xdotool", *arguments], input=text, text=True, check=True, timeout=60)

    def screenshot(self, request):
        screenshot(f"{RUNTIME}/Xvfb_screen0", f"{ARTEFACTS}/{request['file']}")

    def signal(self, request):
        self.desktop.calamares.send_signal(signal.Signals[request["name"]])

    def is_running(self, request):
        return self.desktop.calamares.poll() is None

    def wait_exit(self, request):
        return self.desktop.wait_exit(request["timeout"])

    def probe(self, request):
        return self.desktop.probe.report()

    def run(self, request):
        """Runs a command in the live system."""
        done = subprocess.run(
            request["argv"], input=request.get("input", ""), capture_output=True, text=True,
            errors="replace", timeout=request["timeout"])
        return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    def serve(self, requests, answers):
        for line in requests:
            request = json.loads(line)
            begin = time.monotonic()
            try:
                answer = {"ok": getattr(self, request["do"])(request)}
            except (Gone, TimeoutError, LookupError) as error:
                answer = {"error": f"{type(error).__name__}: {error}{self.desktop.obituary()}"}
            except Exception:
                answer = {"error": traceback.format_exc()}
            # Not what is typed: that may be a password.
            seconds = time.monotonic() - begin
            print(f"{seconds:.2f} s {request['do']} {request.get('want', '')}", file=sys.stderr)
            print(json.dumps(answer), file=answers, flush=True)
        self.desktop.stop()


if __name__ == "__main__":
    os.environ["XDG_RUNTIME_DIR"] = RUNTIME
    Driver(Desktop()).serve(sys.stdin, os.fdopen(3, "w"))
