# SPDX-License-Identifier: MIT OR Apache-2.0
"""A module that fails, as a stock one may."""


def pretty_name():
    return "Fail on purpose"


def run():
    return ("The test wants this to fail.", "These are the details of the failure.")
