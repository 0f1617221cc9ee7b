# SPDX-License-Identifier: MIT OR Apache-2.0
"""Stands in for the partition module: puts into global storage what that would
have put there, from `storage` of the configuration."""

import libcalamares


def pretty_name():
    return "Preset partitions"


def run():
    for key, value in libcalamares.job.configuration["storage"].items():
        libcalamares.globalstorage.insert(key, value)
    return None
