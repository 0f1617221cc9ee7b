// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading configuration files in YAML.
//!
//! A format is a [`Table`] of its keys. [`Section`] reads by it: what is not in
//! the table is refused with the nearest key that is, values have the form that
//! the table says, and every error has the line and column of its key. Schemas
//! and the tables of the documentation are printed from the same data, so a key
//! is written down once.
//!
//! serde's derive would do the reading, but it knows no nearest key, and its
//! messages quote values, which may be passwords.

pub mod checks;
mod document;
mod keys;
mod mistake;
mod section;
mod template;
mod tree;
mod words;

pub use document::Document;
pub use keys::{ANY, Check, Default, Form, Key, Kind, Table, Wrong};
pub use mistake::Mistake;
pub use section::Section;
pub use tree::{Node, Place, Value};
pub use words::{dotted, listed, locale_in, nearest, shown, wrong_type};
