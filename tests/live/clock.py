# SPDX-License-Identifier: Apache-2.0
"""The wall clock is set while Saker watches and records: two seconds on, and back."""
import itertools
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from recorder import mark, shows  # noqa: E402
from tap import PATIENCE, SAKER, TMP, check, done, equal, file, run, saker  # noqa: E402

RULES = '''
- rule: Started
  desc: programs
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-clock-mark
  output: started %proc.args %evt.rawtime %proc.duration
  priority: INFO
'''
STEP_NS = 2_000_000_000
_numbers = itertools.count()


class _SetClock:
    """Within this the clock is ahead; afterwards it is right again, whatever happened."""

    def __enter__(self):
        self.epoch = time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self._set(STEP_NS)

    def __exit__(self, *unused):
        self._set(0)

    def _set(self, ahead):
        time.clock_settime_ns(time.CLOCK_REALTIME, self.epoch + ahead + time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def _ahead():
    """Of a clock that nobody sets, which cannot be read at the very same moment."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _mark(name):
    """Starts a program that is seen by its name: the time before and after."""
    before = time.time_ns()
    subprocess.run(['/bin/true', f'saker-clock-mark-{name}'], check=True)
    return before, time.time_ns()


def _lines(path):
    with open(path) as f:
        return f.read().splitlines()


def _until_both_have_looked(alerts, capture):
    """They look at the clock at every nap, and had one between two things of which each was seen when it was new."""
    for _ in range(2):
        name, end = f'ready-{next(_numbers)}', time.monotonic() + 60 * PATIENCE
        while not (any(f'mark-{name} ' in line for line in _lines(alerts)) and shows(capture, name)):
            check(time.monotonic() < end, f'no {name} in {_lines(alerts)[-5:]}')
            _mark(name)
            mark(name)
            time.sleep(0.1)


def _times(alerts):
    """By name of the mark: the time of the alert in nanoseconds."""
    return {a['output'].split('saker-clock-mark-')[1].split()[0]: a['output_fields']['evt.rawtime'] for a in alerts}


def events_have_the_time_that_the_clock_showed_when_they_happened():
    alerts, capture, rules = file('alerts'), os.path.join(TMP, 'set.scap'), file('rules.yaml', RULES)
    with open(alerts, 'wb') as out:
        watcher = subprocess.Popen([SAKER, 'run', '--json', '-r', rules], stdout=out, stderr=subprocess.PIPE)
    recorder = subprocess.Popen([SAKER, 'record', capture], stderr=subprocess.PIPE)
    try:
        _until_both_have_looked(alerts, capture)
        made = {'before': _mark('before')}
        with _SetClock():
            _until_both_have_looked(alerts, capture)
            made['ahead'] = _mark('ahead')
            ahead = _ahead()
        _until_both_have_looked(alerts, capture)
        made['back'] = _mark('back')
        _until_both_have_looked(alerts, capture)
    finally:
        for p in (watcher, recorder):
            p.send_signal(signal.SIGINT)
        said = [p.communicate(timeout=60 * PATIENCE)[1].decode() for p in (watcher, recorder)]
    equal([watcher.returncode, recorder.returncode], [0, 0], said)
    seen = [json.loads(line) for line in _lines(alerts)]
    seen = [a for a in seen if 'mark-ready' not in a['output']]
    equal(list(_times(seen)), list(made))
    again = done(saker('replay', '--json', capture, '-r', rules)).decode().splitlines()
    for alerts in (seen, [json.loads(line) for line in again]):
        times = _times(alerts)
        for name, (first, last) in made.items():
            check(first <= times[name] <= last, name, times, made)
    for a in seen:  # which does not depend on the clock
        check(0 <= a['output_fields']['proc.duration'] < 10**9 * 10 * PATIENCE, a)
    check(ahead - _ahead() > 10**9, 'the clock was not set back', made)


def _may_set_the_clock():
    try:
        time.clock_settime_ns(time.CLOCK_REALTIME, time.time_ns())
        return True
    except PermissionError:
        return False


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))  # which puts the clock right first
if not _may_set_the_clock():
    print('1..0 # SKIP the clock may not be set here')
    sys.exit(0)
run(globals())
