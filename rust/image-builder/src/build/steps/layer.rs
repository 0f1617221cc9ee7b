// SPDX-License-Identifier: MIT OR Apache-2.0
//! The product's layer as a squashfs.

use std::rc::Rc;

use crate::build::layer;
use crate::build::lb;
use crate::build::parts::Parts;
use crate::build::step::{Context, Description, Step};
use crate::error::Result;

/// The layer.
#[derive(Debug)]
pub(super) struct Layer(pub(super) Rc<Parts>);

impl Step for Layer {
    fn describe(&self) -> Result<Description> {
        Ok(
            Description::new("make the product's layer: names, pictures, settings")
                .commands(self.lines())
                .files(self.0.layer()?, &self.0.places.work.join(layer::DIR)),
        )
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let (bench, progress) = at.bench(&self.0)?;
        progress.stage("names, pictures and settings");
        let dir = bench.work.fresh(layer::DIR)?;
        self.0.layer()?.write_to(&dir)?;
        let lines = self.lines();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        bench.run(&lines, progress)
    }
}

impl Layer {
    fn lines(&self) -> Vec<String> {
        let (dir, squashfs) = (layer::DIR, layer::SQUASHFS);
        let mut lines = Vec::new();
        if let Some((name, charset)) = compiled_locale(&self.0.request.distro.live.locale) {
            let locales = format!("{dir}/usr/lib/locale");
            lines.push(format!("mkdir -p {locales}"));
            lines.push(format!(
                "localedef --no-archive -i {name} -f {charset} {locales}/{name}.utf8"
            ));
        }
        lines.push(format!("rm -f {squashfs}"));
        // Owners are root; times are that of the medium.
        lines.push(format!(
            "mksquashfs {dir} {squashfs} -all-root -no-progress -quiet -comp zstd {}",
            lb::MKSQUASHFS
        ));
        lines
    }
}

/// What has to be compiled for a locale: its name and character set. C.UTF-8 is
/// part of the C library.
fn compiled_locale(locale: &str) -> Option<(&str, &str)> {
    let (name, charset) = locale.split_once('.')?;
    (name != "C").then_some((name, charset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_that_are_compiled() {
        for (locale, expected) in [
            ("C.UTF-8", None),
            ("de_DE.UTF-8", Some(("de_DE", "UTF-8"))),
            ("C", None),
        ] {
            assert_eq!(compiled_locale(locale), expected, "{locale}");
        }
    }
}
