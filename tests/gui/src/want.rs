// SPDX-License-Identifier: MIT OR Apache-2.0
//! Naming a thing on the screen.

use serde_json::{Map, Value};

/// A description of a widget that shows.
#[derive(Clone, Debug, Default)]
pub struct Want(Map<String, Value>);

impl Want {
    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// One with exactly this name.
    pub fn named(name: &str) -> Self {
        Self::default().with("name", name)
    }

    /// A button with this name.
    pub fn button(name: &str) -> Self {
        Self::named(name).with("role", "button")
    }

    /// One whose text has this part; for a field that is what it holds.
    pub fn containing(part: &str) -> Self {
        Self::default().with("contains", part)
    }

    /// The first input field after the label with this text.
    pub fn field_after(label: &str) -> Self {
        Self::default().with("role", "field").with("after", label)
    }

    /// The input field with this accessible name.
    pub fn field(name: &str) -> Self {
        Self::named(name).with("role", "field")
    }

    /// The dialog that is open.
    pub fn dialog() -> Self {
        Self::default().with("role", "dialog")
    }

    /// Of this role: AT-SPI's name of it, or `button`, `dialog` or `field` for
    /// all kinds.
    #[must_use]
    pub fn role(self, role: &str) -> Self {
        self.with("role", role)
    }

    /// Only when it has this state, for example `checked`.
    #[must_use]
    pub fn with_state(self, state: &str) -> Self {
        self.with("state", state)
    }

    /// After the widget with this name.
    #[must_use]
    pub fn after(self, name: &str) -> Self {
        self.with("after", name)
    }

    /// Not the first one (0), but this.
    #[must_use]
    pub fn nth(self, index: usize) -> Self {
        self.with("index", index)
    }

    /// Only when it can be used.
    #[must_use]
    pub fn sensitive(self) -> Self {
        self.with("sensitive", true)
    }

    /// Only when it is greyed out.
    #[must_use]
    pub fn insensitive(self) -> Self {
        self.with("sensitive", false)
    }

    /// Also in windows that an open dialog blocks.
    #[must_use]
    pub fn anywhere(self) -> Self {
        self.with("anywhere", true)
    }

    pub(crate) fn json(self) -> Value {
        self.0.into()
    }
}

/// The widget with this name.
impl From<&str> for Want {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

/// A widget as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widget {
    /// Its accessible name.
    pub name: String,
    /// Its role, as AT-SPI spells it.
    pub role: String,
    /// What it says: what a field holds, else its name.
    pub text: String,
    /// Its states, without those that nearly all have.
    pub states: Vec<String>,
}

impl Widget {
    pub(crate) fn parse(value: &Value) -> Option<Self> {
        let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
        let states = value.get("states")?.as_array()?;
        Some(Self {
            name: text("name")?,
            role: text("role")?,
            text: text("text")?,
            states: states
                .iter()
                .filter_map(|s| s.as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// Whether it has this state, for example `checked`.
    pub fn is(&self, state: &str) -> bool {
        self.states.iter().any(|s| s == state)
    }
}
