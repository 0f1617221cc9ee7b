// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cases: a network, and the tools that are tried on it.

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;
use testkit::lossy_proxy::{Break, Loss, Network};

use crate::tools::Tool;

/// One network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Case {
    /// Straight from the registry, plain HTTP on loopback.
    Clean,
    /// The same with TLS.
    Tls,
    /// 100 Mbit/s, 20 ms.
    Link,
    /// That, and connections that are reset.
    Resets,
    /// That, and connections that stall.
    Stalls,
}

/// Bytes per second of the slow networks: 100 Mbit/s.
pub(crate) const LINE_RATE: u64 = 12_500_000;
const ROUND_TRIP: Duration = Duration::from_millis(20);
/// Bytes between two resets of a connection, on average.
const RESET_MEAN: u64 = 25_000_000;
/// Bytes between two stalls of a connection, on average.
const STALL_MEAN: u64 = 60_000_000;

impl Case {
    pub(crate) const ALL: [Case; 5] = [
        Case::Clean,
        Case::Tls,
        Case::Link,
        Case::Resets,
        Case::Stalls,
    ];

    /// The head of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Case::Clean => "Loopback, plain HTTP",
            Case::Tls => "Loopback, TLS",
            Case::Link => "100 Mbit/s, 20 ms",
            Case::Resets => "100 Mbit/s, 20 ms, a reset about every 25 MB of a connection",
            Case::Stalls => "100 Mbit/s, 20 ms, a stall about every 60 MB of a connection",
        }
    }

    /// What is tried, ours first.
    pub(crate) fn tools(self) -> &'static [Tool] {
        match self {
            Case::Clean => &[Tool::Ours, Tool::Skopeo, Tool::OursRoot, Tool::Podman],
            Case::Tls => &[Tool::Ours, Tool::Skopeo],
            Case::Link => &[Tool::Ours, Tool::Skopeo, Tool::Podman],
            Case::Resets | Case::Stalls => {
                &[Tool::Ours, Tool::Skopeo, Tool::SkopeoRetries, Tool::Podman]
            }
        }
    }

    /// The network between registry and tool; `None` for none.
    pub(crate) fn network(self, seed: u64) -> Option<Network> {
        let loss = |how, mean| Some(Loss { how, mean, seed });
        let loss = match self {
            Case::Clean | Case::Tls => return None,
            Case::Link => None,
            Case::Resets => loss(Break::Reset, RESET_MEAN),
            Case::Stalls => loss(Break::Stall, STALL_MEAN),
        };
        Some(Network {
            rate: Some(LINE_RATE),
            round_trip: ROUND_TRIP,
            loss,
        })
    }
}
