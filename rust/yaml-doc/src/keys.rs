// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a format knows: its keys, as data.

use std::borrow::Cow;

/// A mapping of a format.
#[derive(Debug)]
pub struct Table {
    /// Its keys, in the order of the documentation.
    pub keys: &'static [Key],
    /// What a schema says besides about keys that belong together, as YAML; may be
    /// empty.
    pub together: &'static str,
}

impl Table {
    /// A mapping whose keys do not depend on each other.
    pub const fn of(keys: &'static [Key]) -> Self {
        Self { keys, together: "" }
    }
}

/// A key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Other spellings of it, one of which may stand instead.
    pub also: &'static [&'static str],
    /// What its value is.
    pub kind: Kind,
    /// What counts without it.
    pub default: Default,
    /// What it is for: one sentence without a capital and a full stop, in
    /// Markdown.
    pub meaning: &'static str,
    /// Whether a schema takes the key without a value. The reader does always: it
    /// counts as not there.
    pub null: bool,
    /// The heading above it and what follows in a commented template; may be empty.
    pub part: &'static str,
    /// What a commented template shows of it, as YAML: its value, or the lines below
    /// it. Without one, its default.
    pub example: &'static str,
    /// Whether it stands in the place of others beside it, so that a template tells
    /// of it and does not offer it.
    pub instead: bool,
}

impl Key {
    /// A key that may be left out.
    pub const fn new(
        name: &'static str,
        kind: Kind,
        default: Default,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            also: &[],
            kind,
            default,
            meaning,
            null: true,
            part: "",
            example: "",
            instead: false,
        }
    }

    /// The key, of which a schema wants a value, because of others beside it.
    #[must_use]
    pub const fn with_value(mut self) -> Self {
        self.null = false;
        self
    }

    /// The key, with which a part of a template begins.
    #[must_use]
    pub const fn part(mut self, heading: &'static str) -> Self {
        self.part = heading;
        self
    }

    /// The key with what a template shows of it. The name of a mapping whose keys are
    /// free ends in a colon, and its keys follow; else all of it is here.
    #[must_use]
    pub const fn example(mut self, yaml: &'static str) -> Self {
        self.example = yaml;
        self
    }

    /// The key that stands in the place of others beside it.
    #[must_use]
    pub const fn instead(mut self) -> Self {
        self.instead = true;
        self
    }

    /// The key with another spelling.
    #[must_use]
    pub const fn or(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }

    /// A key that is refused with a reason of its own.
    pub const fn refused(name: &'static str, wrong: &'static Wrong) -> Self {
        Self::new(name, Kind::Refused(wrong), Default::Nothing(""), "")
    }

    /// The name and the other spellings.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.also.iter().copied())
    }
}

/// What counts when a key is left out.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// This value, as YAML.
    Is(&'static str),
    /// What these words of the documentation say.
    Nothing(&'static str),
    /// It cannot be left out.
    Required,
}

/// What the value of a key is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text.
    Text(&'static Form),
    /// A list of texts.
    Texts(&'static Form),
    /// One of these words; those behind them are understood, too.
    Word(&'static [&'static str], &'static [&'static str]),
    /// A list of the first words, or one word out of both lists.
    Words(&'static [&'static str], &'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number, with its limits.
    Number(u32, u32),
    /// A text, with translations in keys of their own: `name[de]`.
    Localized {
        /// The form of all of them.
        text: &'static Form,
        /// The form of what is in brackets.
        locale: &'static Form,
    },
    /// A mapping.
    Mapping(&'static Table),
    /// A mapping whose keys are free, with mappings.
    Named {
        /// The form of the keys.
        names: &'static Form,
        /// What the documentation calls them.
        called: &'static str,
        /// What each of them has.
        table: &'static Table,
    },
    /// A mapping whose keys are free, with texts.
    NamedTexts {
        /// The form of the keys.
        names: &'static Form,
        /// What the documentation calls them.
        called: &'static str,
        /// The form of the texts.
        texts: &'static Form,
        /// Numbers and truth values count as texts when they are written as
        /// YAML reads them.
        as_written: bool,
    },
    /// A list of mappings.
    List(&'static Table),
    /// Whatever stands there.
    Anything,
    /// Something that the reader looks at by itself.
    Special {
        /// Its type, for the documentation.
        called: &'static str,
        /// Its JSON schema, as YAML.
        schema: &'static str,
    },
    /// It is refused, with this reason.
    Refused(&'static Wrong),
}

/// Whether a text is right.
pub type Check = fn(&str) -> Result<(), Wrong>;

/// The form of a kind of texts.
#[derive(Debug)]
pub struct Form {
    /// What the documentation calls one: "file".
    pub one: &'static str,
    /// What the documentation calls several: "files".
    pub many: &'static str,
    /// Looks at a text, and counts.
    pub check: Check,
    /// The same for schemas, as a regular expression of ECMA-262; empty for any
    /// text.
    pub pattern: &'static str,
    /// Fewest characters, for schemas.
    pub min: usize,
    /// Most characters, for schemas; 0 for any number.
    pub max: usize,
}

impl Form {
    /// A form without limits.
    pub const fn new(
        one: &'static str,
        many: &'static str,
        check: Check,
        pattern: &'static str,
    ) -> Self {
        Self {
            one,
            many,
            check,
            pattern,
            min: 0,
            max: 0,
        }
    }

    /// The form without an empty text.
    #[must_use]
    pub const fn not_empty(mut self) -> Self {
        self.min = 1;
        self
    }

    /// The form with a limit.
    #[must_use]
    pub const fn up_to(mut self, max: usize) -> Self {
        self.max = max;
        self
    }
}

/// Any text.
pub static ANY: Form = Form::new("text", "texts", any, "");

fn any(_: &str) -> Result<(), Wrong> {
    Ok(())
}

/// What is wrong with a value, after the words "`value` ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What the value is not: "is no URL".
    pub what: &'static str,
    /// Why: one sentence.
    pub why: Cow<'static, str>,
    /// What to write: one sentence.
    pub next: &'static str,
}
