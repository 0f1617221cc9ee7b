# SPDX-License-Identifier: MIT OR Apache-2.0
"""Appends global storage, without the secrets in it, to a file: one JSON object
for each run, so that it may stand at several places of the sequence."""

import json

import libcalamares

HIDDEN = "(hidden)"


def pretty_name():
    return "Dump global storage"


def plain(value, key=""):
    if isinstance(value, dict):
        return {name: plain(item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, key) for item in value]
    if isinstance(value, str) and "pass" in key.lower():
        return HIDDEN
    return value


def run():
    storage = libcalamares.globalstorage
    content = {key: plain(storage.value(key), key) for key in storage.keys()}
    with open(libcalamares.job.configuration["file"], "a") as file:
        file.write(json.dumps(content, default=str) + "\n")
    return None
