#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is found is shown at once, and being asked to stop loses nothing."""
import gzip
import os
import select
import signal
import subprocess

import tap
from tap import SAKER, capture, check, done, equal, saker

with gzip.open(capture('containers.scap.gz')) as _f:
    _START = _f.read(12_000_000)


def _waiting(*args):
    """The program, fed with the beginning of a capture through a pipe that stays open."""
    child = subprocess.Popen([SAKER, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdin.write(_START)
    child.stdin.flush()  # what it prints meanwhile must fit into a pipe
    return child


def _line_in_time(child):
    ready, _, _ = select.select([child.stdout], [], [], 60)
    check(ready, 'nothing is shown while the pipe is open')
    return child.stdout.readline()


def _stopped(child, number):
    child.send_signal(number)
    out, err = child.stdout.read(), child.stderr.read()
    equal(child.wait(60), 128 + number, err)
    child.stdin.close()
    return out, err


def alerts_are_shown_while_the_pipe_is_open():
    child = _waiting('replay', '-')
    check(b'Warning' in _line_in_time(child))
    child.stdin.close()
    child.stdout.read()
    check(b'ends' in child.stderr.read(), 'the capture is cut')
    equal(child.wait(60), 1)


def events_are_shown_while_the_pipe_is_open():
    child = _waiting('print', '-', '--max', '10000', '--filter', 'evt.type = execve', '--format', '%evt.num')
    check(_line_in_time(child))
    _stopped(child, signal.SIGTERM)


def sigint_ends_a_replay_with_its_summary():
    child = _waiting('replay', '-', '--summary')
    _line_in_time(child)
    _, err = _stopped(child, signal.SIGINT)
    check(b' alerts of ' in err, err)
    check(b'interrupted' not in err, err)


def sigterm_leaves_a_whole_capture():
    path = os.path.join(tap.TMP, 'stopped.scap.gz')
    child = _waiting('print', '-', '--write', path, '--compress', '--filter', 'evt.type = execve', '--format', '%evt.num')
    _line_in_time(child)
    _stopped(child, signal.SIGTERM)
    check(int(done(saker('print', path, '--count'))) > 10)


def a_signal_that_is_ignored_stays_so():
    child = subprocess.Popen([SAKER, 'print', '-', '--count'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    child.stdin.write(_START[:100_000])
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    child.stdin.close()
    child.stdout.read()
    equal(child.wait(60), 1)


def want_of_memory_is_one_line_and_status_1():
    if os.environ.get('SAKER_SANITIZED') == '1':
        return  # the sanitizers' own maps are larger than any limit
    seen = 0
    for limit in range(6000, 40000, 500):
        run = subprocess.run(['sh', '-c', f'ulimit -v {limit}; exec "{SAKER}" replay "{capture("containers.scap.gz")}"'],
                             capture_output=True)
        if run.stderr.endswith(b'saker: out of memory\n'):
            equal(run.returncode, 1)
            seen += 1
    check(seen, 'no limit was met by the program')


tap.run(globals())
