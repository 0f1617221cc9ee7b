// SPDX-License-Identifier: MIT OR Apache-2.0
//! `{{ name }}` in texts of the configuration.

/// Why a text with variables cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// A name that nobody defined.
    Unknown(String),
    /// `{{` without `}}`.
    Open,
}

/// Replaces each `{{ name }}` by the value of that variable. Blanks around the
/// name do not matter; values are not looked into again.
pub(crate) fn expand(text: &str, variables: &[(String, String)]) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let (name, tail) = behind.split_once("}}").ok_or(TemplateError::Open)?;
        let name = name.trim();
        let (_, value) = variables
            .iter()
            .find(|(n, _)| n == name)
            .ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
        out.push_str(before);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion() {
        let vars: Vec<(String, String)> = [
            ("registry", "quay.io"),
            ("tag", "v1"),
            ("loop", "{{ tag }}"),
        ]
        .map(|(a, b)| (a.into(), b.into()))
        .into();
        let unknown = |n: &str| Err(TemplateError::Unknown(n.into()));
        let table = [
            ("plain", Ok("plain".to_owned())),
            ("{{ registry }}/os:{{tag}}", Ok("quay.io/os:v1".into())),
            ("{{registry}}{{registry}}", Ok("quay.ioquay.io".into())),
            ("{{ loop }}", Ok("{{ tag }}".into())),
            ("{ registry }", Ok("{ registry }".into())),
            ("}} x", Ok("}} x".into())),
            ("{{ nobody }}", unknown("nobody")),
            ("{{}}", unknown("")),
            ("a {{ tag", Err(TemplateError::Open)),
        ];
        for (text, expected) in table {
            assert_eq!(expand(text, &vars), expected, "{text}");
        }
    }
}
