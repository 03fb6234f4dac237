# SPDX-License-Identifier: Apache-2.0
"""That saker record works is seen by what the test itself does: on an idle machine nobody else does anything."""
import atexit
import os
import subprocess
import time

from tap import PATIENCE, saker


def mark(name):
    """Starts a program that is known by its argument."""
    subprocess.run(['/bin/true', f'saker-record-mark-{name}'], check=True)


def shows(capture, name):
    """Whether the start of that program is in the file, which may end anywhere."""
    asks = f'evt.type = execve and evt.rawres = 0 and proc.args = saker-record-mark-{name}'
    return os.path.exists(capture) and bool(saker('print', capture, '--filter', asks).stdout)


def until_it_records(p, capture, name='begin'):
    """Once it does, whatever happens from here on is in the file as well."""
    atexit.register(p.kill)  # for when a test fails
    end = time.monotonic() + 60 * PATIENCE
    while time.monotonic() < end and p.poll() is None:
        mark(name)
        if shows(capture, name):
            return
        time.sleep(0.1)
    raise AssertionError(f'it does not record: {p.stderr.read() if p.poll() is not None else ""}')
