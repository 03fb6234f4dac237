# SPDX-License-Identifier: Apache-2.0
"""Once its tables have grown to what the machine needs, an event costs no allocation."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../cli'))
import scapfile  # noqa: E402
from tap import SOURCE, TMP, capture, check, done, file, run, saker  # noqa: E402

SHIM = os.environ['ALLOC_COUNT']


def _allocations(*args):
    to = os.path.join(TMP, 'count')
    done(saker(*args, env={'LD_PRELOAD': SHIM, 'ALLOC_COUNT_TO': to}))
    with open(to) as f:
        return int(f.read())


def _steady(name, *args):
    """
    Twice as many of the same events ask for no more, apart from types that have only now been seen often enough to
    be planned anew, which happens once a type: far less than one a thousand events.
    """
    data = scapfile.read(capture(name))
    times = 300000 // len(scapfile.split(data)[1])
    n_events = len(scapfile.split(data)[1]) * times
    counts = []
    for n in (times, 2 * times):
        path = file('repeated.scap', scapfile.repeated(data, n))
        counts.append(_allocations(args[0], path, *args[1:]))
        os.unlink(path)
    check(counts[0] > 0, 'nothing was counted')
    check(counts[1] - counts[0] < n_events / 1000,
          f'{name}: {counts[0]} allocations, with {n_events} more events {counts[1]}')


def the_bundled_rules_over_processes():
    _steady('processes.scap.gz', 'replay')


def the_bundled_rules_over_files_and_network_as_json():
    _steady('files.scap.gz', 'replay', '--json')
    _steady('network.scap.gz', 'replay', '--json')


def rules_that_print_fields_of_every_kind():
    for name in ('processes.scap.gz', 'files.scap.gz', 'network.scap.gz'):
        for form in ([], ['--json']):
            _steady(name, 'replay', '--rules', f'{SOURCE}/tests/expected/probe.yaml', *form)


def printing_events():
    _steady('processes.scap.gz', 'print')


run(globals())
