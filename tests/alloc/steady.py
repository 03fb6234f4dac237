# SPDX-License-Identifier: Apache-2.0
"""Once its tables have grown to what the machine needs, an event costs no allocation."""
import os
import struct
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


TRIAL_EVENTS = 256  # of a type, before its plan is made anew from what was counted (filter/plan.h)
MOST_OF_A_TYPE = 12


def _thinned(data):
    """The capture with the first few events of each type: all kinds, and few enough to repeat often."""
    front, events = scapfile.split(data)
    seen, kept = {}, []
    for block in events:
        at = scapfile.RECORD_AT[struct.unpack_from('<I', block)[0]]
        (type_,) = struct.unpack_from('<H', block, at + 20)
        seen[type_] = seen.get(type_, 0) + 1
        if seen[type_] <= MOST_OF_A_TYPE:
            kept.append(block)
    return b''.join(front + kept)


def _steady(name, *args):
    """
    What grows or is made once (tables, and the plan of each type of event when it is first seen and once more after
    its trial) has been by the time that every type has come often enough.  From then on as many events again must
    ask for nothing at all.
    """
    data = _thinned(scapfile.read(capture(name)))
    times = TRIAL_EVENTS + 4
    counts = []
    for n in (times, 2 * times):
        path = file('repeated.scap', scapfile.repeated(data, n))
        counts.append(_allocations(args[0], path, *args[1:]))
        os.unlink(path)
    n_events = len(scapfile.split(data)[1]) * times
    check(n_events > 10000, f'{name}: only {n_events} events')
    check(counts[0] > 0, 'nothing was counted')
    check(counts[1] == counts[0], f'{name}: {counts[0]} allocations, with {n_events} more events {counts[1]}')


def the_bundled_rules_over_processes():
    _steady('processes.scap.gz', 'replay')


def the_bundled_rules_over_files_and_network_as_json():
    _steady('files.scap.gz', 'replay', '--json')
    _steady('network.scap.gz', 'replay', '--json')


def rules_that_print_fields_of_every_kind():
    for name in ('processes.scap.gz', 'files.scap.gz', 'network.scap.gz'):
        for form in ([], ['--json']):
            _steady(name, 'replay', '--rules', f'{SOURCE}/tests/expected/probe.yaml', *form)


def alerts_into_a_file():
    path = os.path.join(TMP, 'alerts')
    _steady('files.scap.gz', 'replay', '-o', 'stdout_output.enabled=false', '-o', 'file_output.enabled=true',
            '-o', f'file_output.filename={path}', '-o', 'json_output=true')


def printing_events():
    _steady('processes.scap.gz', 'print')


run(globals())
