# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a person sees of the application, and finding a thing in it."""

import time

from atspi import Gone

# The one interval at which the driver looks again.
INTERVAL = 0.05
# For a field that does not take the keyboard, or not all that was typed.
TYPING_LIMIT = 3
HIDDEN = "\u2022"
# A list of hundreds of time zones is not walked: `select` looks into it.
MOST_CHILDREN = 60
CLOSED = {"combo box"}
BUTTONS = {"button", "push button", "toggle button", "push button menu"}
DIALOGS = {"dialog", "alert message"}
FIELDS = {"text", "password text", "entry", "spin button"}
# What a request may call by one name.
KINDS = {"button": BUTTONS, "dialog": DIALOGS, "field": FIELDS}


class Widget:
    """An accessible object as it was at the moment of a look."""

    def __init__(self, node, depth):
        self.node = node
        self.depth = depth
        self.name = node.name()
        self.role = node.role()
        self.states = node.states()

    @property
    def showing(self):
        return "showing" in self.states

    @property
    def sensitive(self):
        return "sensitive" in self.states

    def text(self):
        """What it says: a field's content, else its name. A box with read-only
        text has no name."""
        if self.name and self.role not in FIELDS:
            return self.name
        try:
            return self.node.text()
        except Gone:
            # It has no text.
            return self.name

    def describe(self):
        states = self.states - {"visible", "showing", "enabled", "sensitive", "focusable"}
        if not self.sensitive:
            states.add("insensitive")
        return {"name": self.name, "role": self.role, "text": self.text(), "states": sorted(states)}

    def line(self):
        shown = self.describe()
        states = " ".join(shown["states"])
        holds = f" holds {shown['text']!r}" if shown["text"] != shown["name"] else ""
        return f"{'  ' * self.depth}{shown['role']} {shown['name']!r}{holds} {states}".rstrip()


def walk(node, depth=0):
    """The showing objects below and with this one, in order."""
    try:
        widget = Widget(node, depth)
        if not widget.showing and depth > 1:
            return
        yield widget
        if widget.role in CLOSED:
            return
        children = node.children()[:MOST_CHILDREN]
    except Gone:
        return
    for child in children:
        yield from walk(child, depth + 1)


def look(application, anywhere=False):
    """All that shows. While a dialog is open a person can use only that dialog,
    and so can the driver, unless it looks `anywhere`."""
    windows = [list(walk(window, 1)) for window in application.children()]
    windows = [window for window in windows if window and window[0].showing]
    if not anywhere:
        windows = [window for window in windows if window[0].role in DIALOGS][-1:] or windows
    return [widget for window in windows for widget in window]


def matches(widget, want):
    role = want.get("role")
    if role is not None and widget.role not in KINDS.get(role, {role}):
        return False
    if "name" in want and widget.name != want["name"]:
        return False
    if "contains" in want and want["contains"] not in widget.text():
        return False
    if "state" in want and want["state"] not in widget.states:
        return False
    if "sensitive" in want and widget.sensitive != want["sensitive"]:
        return False
    return True


def find(widgets, want):
    """The widget that is wanted, or None. With `after` it is the first one
    that comes after the text of that name: a field that has no name of its own
    stands behind its label."""
    if "after" in want:
        at = next((i for i, w in enumerate(widgets) if w.name == want["after"]), None)
        if at is None:
            return None
        widgets = widgets[at + 1:]
    found = [widget for widget in widgets if matches(widget, want)]
    index = want.get("index", 0)
    return found[index] if index < len(found) else None


def wait(application, want, timeout, gone=False):
    """Looks until the wanted widget shows, or with `gone` no longer does."""
    end = time.monotonic() + timeout
    while True:
        widget = find(look(application, want.get("anywhere", False)), want)
        if (widget is None) == gone:
            return widget
        if time.monotonic() > end:
            raise TimeoutError(f"{want} {'still shows' if gone else 'does not show'} after {timeout} s")
        time.sleep(INTERVAL)


def has_keyboard(application):
    """Whether one of its windows gets the keys that are sent."""
    try:
        return any("active" in window.states() for window in application.children())
    except Gone:
        return False


def wait_keyboard(application, timeout):
    """Waits until one of its windows gets the keys that are sent."""
    end = time.monotonic() + timeout
    while not has_keyboard(application):
        if time.monotonic() > end:
            raise TimeoutError(f"no window has the keyboard after {timeout} s")
        time.sleep(INTERVAL)


def wait_released(node):
    """Qt holds a button down for a moment and then clicks; what the click does
    is done when the button is up again."""
    try:
        while "pressed" in node.states():
            time.sleep(INTERVAL)
    except Gone:
        # The click closed its window.
        pass


def wait_state(node, state):
    """Waits until it has this state; false when that takes too long."""
    end = time.monotonic() + TYPING_LIMIT
    while state not in node.states():
        if time.monotonic() > end:
            return False
        time.sleep(INTERVAL)
    return True


def held(node):
    """What a field holds. Qt tells nobody what a password field holds; after
    typing its cursor shows how much that is."""
    return node.text() or HIDDEN * node.caret()


def wait_text(node, length):
    """Waits until the keys that were sent have arrived in a field, as far as
    it takes them; gives what it holds."""
    end = time.monotonic() + TYPING_LIMIT
    while len(held(node)) != length and time.monotonic() < end:
        time.sleep(INTERVAL)
    return held(node)
