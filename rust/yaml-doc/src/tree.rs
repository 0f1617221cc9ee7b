// SPDX-License-Identifier: MIT OR Apache-2.0
//! A YAML document as a tree whose nodes know where they are written.
//!
//! Scanner and parser are granit-parser's, which began as saphyr's and is as
//! lenient as libyaml. What is above them here: a key that is there twice is an
//! error, an alias shares what it names instead of copying it, so that aliases of
//! aliases cost nothing, and numbers remember how they were written.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag};
use secrecy::zeroize::Zeroizing;

/// Deepest nesting of lists and mappings; no file of ours has ten.
const DEPTH_MAX: usize = 64;
/// What the tags of YAML's own types begin with.
const CORE: &str = "tag:yaml.org,2002:";

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub value: Value,
}

/// What a value is, by the core schema of YAML 1.2, so that `yes` is a text.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`, also with capitals.
    Bool {
        /// Which of the two.
        value: bool,
        /// As it is in the file.
        written: String,
    },
    /// A number.
    Number {
        /// As people write what was read: 13 for 0xd.
        read: String,
        /// As it is in the file.
        written: String,
    },
    /// A text, which may be a password.
    Text(Zeroizing<String>),
    /// A list, each item with its place.
    List(Vec<(Place, Rc<Node>)>),
    /// A mapping, in the order of the file.
    Mapping(Vec<(Name, Rc<Node>)>),
    /// Something with a tag that is not known.
    Tagged,
}

impl Value {
    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool { .. } => "true or false",
            Self::Number { .. } => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
            Self::Tagged => "a tagged value",
        }
    }
}

/// Shows no values, which may be passwords.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The key; of one that is a list or mapping, words that say so.
    pub text: String,
    /// Whether it is a text, and not a number or something else.
    pub is_text: bool,
    /// Where it is.
    pub place: Place,
}

/// Why a text is no YAML that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where that was seen.
    pub(crate) place: Place,
    /// What is wrong, for people who know YAML.
    pub(crate) problem: String,
}

impl Node {
    /// The node of an empty document.
    pub(crate) fn null() -> Self {
        Self { value: Value::Null }
    }

    /// The place of a key or, written `[0]`, of an item; of what is not there,
    /// that of the innermost key around it.
    pub(crate) fn place(&self, path: &[&str]) -> Option<Place> {
        let mut node = self;
        let mut place = None;
        for part in path {
            let inner = match &node.value {
                Value::Mapping(entries) => {
                    let mut entries = entries.iter();
                    entries
                        .find(|(name, _)| name.text == *part)
                        .map(|(name, node)| (name.place, node))
                }
                Value::List(items) => {
                    let item = index(part).and_then(|index| items.get(index));
                    item.map(|(place, node)| (*place, node))
                }
                _ => None,
            };
            let Some((here, inner)) = inner else { break };
            (place, node) = (Some(here), inner);
        }
        place
    }
}

/// `1` for `[1]`.
fn index(part: &str) -> Option<usize> {
    part.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Reads the only document of a text; an empty text is one with nothing.
pub(crate) fn parse(text: &str) -> Result<Node, Fault> {
    // As libyaml has it, which read these files before.
    let mut options = Options::default();
    options.bom_inside_document_as_content = true;
    options.block_scalar_eof_without_line_feed = true;
    let mut builder = Builder {
        tabs: tabs(text),
        ..Builder::default()
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|err| Fault {
            place: place(*err.marker()),
            problem: err.info().to_owned(),
        })?;
        builder.event(event, span)?;
    }
    let root = builder.root.map(Rc::unwrap_or_clone);
    Ok(root.unwrap_or_else(Node::null))
}

/// Lines whose indentation has a tab, and how long it is.
fn tabs(text: &str) -> HashMap<usize, usize> {
    let lines = text.lines().enumerate().filter_map(|(number, line)| {
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        indent.contains('\t').then_some((number + 1, indent.len()))
    });
    lines.collect()
}

fn place(mark: granit_parser::Marker) -> Place {
    Place {
        line: mark.line(),
        column: mark.col() + 1,
    }
}

/// Puts events together.
#[derive(Default)]
struct Builder {
    root: Option<Rc<Node>>,
    open: Vec<Open>,
    /// What aliases can name: anchors whose value is complete.
    anchors: HashMap<usize, Rc<Node>>,
    /// See [`tabs`].
    tabs: HashMap<usize, usize>,
}

/// A list or mapping that goes on.
struct Open {
    place: Place,
    anchor: usize,
    tagged: bool,
    parts: Parts,
}

enum Parts {
    List(Vec<(Place, Rc<Node>)>),
    Mapping {
        entries: Vec<(Name, Rc<Node>)>,
        /// Keys, to find one that is there twice.
        lines: HashMap<(bool, String), usize>,
        /// The key whose value comes next.
        key: Option<Name>,
    },
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let at = place(span.start);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(fault(at, "a second document begins here"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref(), at)?;
                self.closed(at, anchor, value)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => {
                    let node = Rc::clone(node);
                    self.put(at, node)
                }
                None => Err(fault(at, "this alias stands within what it names")),
            },
            Event::SequenceStart(_, anchor, tag) => {
                self.opened(at, anchor, tag.as_deref(), Parts::List(Vec::new()))
            }
            Event::MappingStart(style, anchor, tag) => {
                let indented = self.tabs.get(&at.line).map(|indent| indent + 1);
                if style == StructureStyle::Block && indented == Some(at.column) {
                    return Err(fault(at, "a tab is no indentation"));
                }
                let parts = Parts::Mapping {
                    entries: Vec::new(),
                    lines: HashMap::new(),
                    key: None,
                };
                self.opened(at, anchor, tag.as_deref(), parts)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let value = match open.parts {
                        _ if open.tagged => Value::Tagged,
                        Parts::List(items) => Value::List(items),
                        Parts::Mapping { entries, .. } => Value::Mapping(entries),
                    };
                    self.closed(open.place, open.anchor, value)
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn opened(
        &mut self,
        place: Place,
        anchor: usize,
        tag: Option<&Tag>,
        parts: Parts,
    ) -> Result<(), Fault> {
        if self.open.len() >= DEPTH_MAX {
            return Err(fault(
                place,
                "lists and mappings are nested too deeply here",
            ));
        }
        self.open.push(Open {
            place,
            anchor,
            tagged: tag.is_some_and(|tag| !full(tag).starts_with(CORE)),
            parts,
        });
        Ok(())
    }

    /// A value is complete.
    fn closed(&mut self, place: Place, anchor: usize, value: Value) -> Result<(), Fault> {
        let node = Rc::new(Node { value });
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(place, node)
    }

    /// Puts a value to where it belongs: into what is open.
    fn put(&mut self, place: Place, node: Rc<Node>) -> Result<(), Fault> {
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.root = Some(node),
            Some(Parts::List(items)) => items.push((place, node)),
            Some(Parts::Mapping {
                entries,
                lines,
                key,
            }) => match key.take() {
                Some(name) => entries.push((name, node)),
                None => {
                    let name = name(place, &node);
                    let same = (name.is_text, name.text.clone());
                    if let Some(line) = lines.insert(same, place.line) {
                        let problem =
                            format!("the key `{}` is there already, in line {line}", name.text);
                        return Err(Fault { place, problem });
                    }
                    *key = Some(name);
                }
            },
        }
        Ok(())
    }
}

fn fault(place: Place, problem: &str) -> Fault {
    Fault {
        place,
        problem: problem.to_owned(),
    }
}

fn name(place: Place, node: &Node) -> Name {
    let (text, is_text) = match &node.value {
        Value::Text(text) => (text.as_str(), true),
        Value::Number { written, .. } | Value::Bool { written, .. } => (written.as_str(), false),
        _ => ("(not a text)", false),
    };
    Name {
        text: text.to_owned(),
        is_text,
        place,
    }
}

/// A tag in full.
fn full(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Place) -> Result<Value, Fault> {
    let as_text = || Value::Text(Zeroizing::new(text.to_owned()));
    let Some(tag) = tag.map(full) else {
        return Ok(match style {
            ScalarStyle::Plain => plain(text),
            _ => as_text(),
        });
    };
    match tag.strip_prefix(CORE) {
        Some("str") => Ok(as_text()),
        // `!!int x` would be a contradiction; `!!int 13` is what it is anyway.
        Some(kind @ ("int" | "float" | "bool" | "null")) => {
            let value = plain(text);
            let is = matches!(
                (&value, kind),
                (Value::Null, "null")
                    | (Value::Bool { .. }, "bool")
                    | (Value::Number { .. }, "int" | "float")
            );
            match is {
                true => Ok(value),
                false => Err(fault(at, "the value is not what its tag says")),
            }
        }
        None if tag == "!" => Ok(as_text()),
        _ => Ok(Value::Tagged),
    }
}

/// A scalar without quotes.
fn plain(text: &str) -> Value {
    let written = || text.to_owned();
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => {
            return Value::Bool {
                value: text.starts_with(['t', 'T']),
                written: written(),
            };
        }
        _ => {}
    }
    match number(text) {
        Some(read) => Value::Number {
            read,
            written: written(),
        },
        None => Value::Text(Zeroizing::new(written())),
    }
}

/// A number, as people would write it.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            let signed = digits.starts_with(['-', '+']);
            let value = i128::from_str_radix(digits, radix).ok();
            return value.filter(|_| !signed).map(|n| format!("{sign}{n}"));
        }
    }
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if all_digits {
        // 007 is no number since YAML 1.2.
        let leading = digits.len() > 1 && digits.starts_with('0');
        return (!leading).then(|| match digits {
            "0" => digits.to_owned(),
            _ => format!("{sign}{digits}"),
        });
    }
    match digits {
        ".inf" | ".Inf" | ".INF" => return Some(format!("{sign}.inf")),
        ".nan" | ".NaN" | ".NAN" if digits == text => return Some(".nan".to_owned()),
        _ => {}
    }
    let value: f64 = digits.parse().ok()?;
    value.is_finite().then(|| format!("{sign}{value:?}"))
}

#[cfg(test)]
mod tests;
