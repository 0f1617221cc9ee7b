# SPDX-License-Identifier: MIT OR Apache-2.0
"""A module that takes `seconds`, as a stock one may that waits for something."""

import time

import libcalamares


def pretty_name():
    return "Taking its time"


def pretty_status_message():
    return "Taking its time"


def run():
    libcalamares.job.setprogress(0.1)
    time.sleep(libcalamares.job.configuration["seconds"])
    return None
