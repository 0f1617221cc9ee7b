// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates of authorities, out of files in PEM form. Nothing here does I/O.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The certificates in `pem` that can be trusted, and what is wrong with the
/// others, or with the whole.
pub(crate) fn parse(pem: &[u8]) -> (Vec<CertificateDer<'static>>, Option<String>) {
    let mut usable = Vec::new();
    let mut problem = None;
    for (index, found) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let number = index + 1;
        let certificate = match found {
            Ok(certificate) => certificate,
            Err(e) => {
                // Where the next one begins is not known then.
                problem = Some(format!("certificate {number} and those after it: {e}"));
                break;
            }
        };
        match RootCertStore::empty().add(certificate.clone()) {
            Ok(()) => usable.push(certificate),
            Err(e) => problem = Some(format!("certificate {number}: {e}")),
        }
    }
    if usable.is_empty() && problem.is_none() {
        problem = Some("no certificate in PEM form in it".to_owned());
    }
    (usable, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate() {
        let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let endless = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (pem, text) in [
            ("", "no certificate in PEM form"),
            ("nonsense", "no certificate in PEM form"),
            ("\u{30}\u{82}", "no certificate in PEM form"),
            (key, "no certificate in PEM form"),
            (broken, "certificate 1 and those after it"),
            (endless, "certificate 1 and those after it"),
            (no_certificate, "certificate 1: "),
        ] {
            let (usable, problem) = parse(pem.as_bytes());
            assert!(usable.is_empty(), "{pem}");
            let problem = problem.unwrap_or_default();
            assert!(problem.starts_with(text), "{pem}: {problem}");
        }
    }
}
