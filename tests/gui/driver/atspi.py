# SPDX-License-Identifier: MIT OR Apache-2.0
"""AT-SPI over D-Bus, as far as the driver needs it.

The calls go out by GDBus and not by libatspi: GDBus has threads, so that the
probe can measure while the driver works, keeps no cache that could be stale,
and has a limit for each call.
"""

from gi.repository import Gio, GLib

ACCESSIBLE = "org.a11y.atspi.Accessible"
COMPONENT = "org.a11y.atspi.Component"
ROOT = "/org/a11y/atspi/accessible/root"
# A frozen GUI must become an error and not a hang; it may be busy for long.
LIMIT_MS = 20_000

# Numbers of AtspiStateType.
STATES = {
    "active": 1, "checked": 4, "editable": 7, "enabled": 8, "expanded": 10, "focusable": 11,
    "focused": 12, "modal": 16, "pressed": 20, "selected": 23, "sensitive": 24,
    "showing": 25, "visible": 30,
}


class Gone(Exception):
    """The object, or the whole application, is no longer there."""


def connect(address=None):
    """A connection to the accessibility bus, which starts when asked for, of
    the session with this bus or of our own."""
    session = bus_at(address) if address else Gio.bus_get_sync(Gio.BusType.SESSION)
    reply = session.call_sync(
        "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress",
        None, GLib.VariantType("(s)"), Gio.DBusCallFlags.NONE, LIMIT_MS)
    return bus_at(reply.unpack()[0])


def bus_at(address):
    """A connection to the bus with this address."""
    flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
             | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
    return Gio.DBusConnection.new_for_address_sync(address, flags)


class Node:
    """An accessible object."""

    def __init__(self, bus, address):
        self.bus = bus
        self.name_on_bus, self.path = address

    def call(self, interface, method, signature=None, *arguments):
        """Calls a method; gives its results, a single one by itself."""
        parameters = GLib.Variant(signature, arguments) if signature else None
        try:
            reply = self.bus.call_sync(
                self.name_on_bus, self.path, interface, method, parameters,
                None, Gio.DBusCallFlags.NONE, LIMIT_MS)
        except GLib.Error as error:
            if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
                raise TimeoutError(f"the GUI did not answer for {LIMIT_MS} ms") from error
            raise Gone(f"{interface}.{method}: {error.message}") from error
        values = reply.unpack()
        return values[0] if len(values) == 1 else values

    def get(self, interface, name):
        """A property."""
        return self.call("org.freedesktop.DBus.Properties", "Get", "(ss)", interface, name)

    def children(self):
        return [Node(self.bus, address) for address in self.call(ACCESSIBLE, "GetChildren")]

    def name(self):
        return self.get(ACCESSIBLE, "Name")

    def description(self):
        return self.get(ACCESSIBLE, "Description")

    def role(self):
        return self.call(ACCESSIBLE, "GetRoleName")

    def interfaces(self):
        return [name.rsplit(".", 1)[1] for name in self.call(ACCESSIBLE, "GetInterfaces")]

    def states(self):
        low, high = self.call(ACCESSIBLE, "GetState")
        bits = low | high << 32
        return {name for name, number in STATES.items() if bits >> number & 1}

    def extents(self):
        """x, y, width and height on the screen."""
        return self.call(COMPONENT, "GetExtents", "(u)", 0)

    def text(self):
        return self.call("org.a11y.atspi.Text", "GetText", "(ii)", 0, -1)

    def caret(self):
        return self.get("org.a11y.atspi.Text", "CaretOffset")

    def set_text(self, text):
        return self.call("org.a11y.atspi.EditableText", "SetTextContents", "(s)", text)

    def value(self):
        """The value, and the greatest one."""
        interface = "org.a11y.atspi.Value"
        return self.get(interface, "CurrentValue"), self.get(interface, "MaximumValue")

    def actions(self):
        return [action[0] for action in self.call("org.a11y.atspi.Action", "GetActions")]

    def act(self, names):
        """Does the first of these actions that it has."""
        own = self.actions()
        for name in names:
            if name in own:
                return self.call("org.a11y.atspi.Action", "DoAction", "(i)", own.index(name))
        raise LookupError(f"it has no action of {names}, but {own}")

    def focus(self):
        return self.call(COMPONENT, "GrabFocus")

    def select_child(self, index):
        return self.call("org.a11y.atspi.Selection", "SelectChild", "(i)", index)


def applications(bus):
    """The applications that are registered."""
    return Node(bus, ("org.a11y.atspi.Registry", ROOT)).children()
