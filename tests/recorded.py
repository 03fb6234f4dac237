# SPDX-License-Identifier: Apache-2.0
"""Compares what saker makes of the captures in tests/captures with what the reference made of them.

tests/expected/NAME.fields.xz         a JSON line {"fields": [...], "events": N}, then an array of texts an event
tests/expected/NAME.filters.json.xz   {condition: {"events": [evt.num ...]} or {"error": text}}
tests/expected/NAME.probe.alerts.*    alerts of tests/expected/probe.yaml: JSON lines, text lines
"""
import collections
import glob
import json
import lzma
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cli'))
from tap import SOURCE, check, done, equal, saker  # noqa: E402
import tap  # noqa: E402

RS, US = '\x1e', '\x1f'
# Told in docs/DIFFERENCES.md: fields for which the reference prints uninitialised memory ...
UNSTABLE = {'proc.exe_ino.ctime_duration_proc_start', 'proc.exe_ino.ctime_duration_pidns_start'}
# ... a condition that it evaluates before it has applied the event ...
TOO_EARLY = {'evt.arg.fd >= 3'}
# ... and the users of the machine that the expectations were made on.
os.environ['HOST_ROOT'] = f'{SOURCE}/tests/expected/host'
PROBE = f'{SOURCE}/tests/expected/probe.yaml'


def _expected(name):
    with lzma.open(f'{SOURCE}/tests/expected/{name}.xz', 'rb') as f:
        return f.read()


def _text(data):
    return data.decode('utf-8', 'surrogateescape')


def _is_known(field, got, want, args):
    """Differences of the reference that no reader can foresee: docs/DIFFERENCES.md."""
    if field == 'evt.buffer':  # an empty buffer, and a number, show what an earlier one left behind
        return got in ('', '<NA>') and ('data=NULL' in args or 'PTRACE' in args)
    return field in UNSTABLE


def _fields(path, name):
    head, *lines = _text(_expected(f'{name}.fields')).splitlines()
    head = json.loads(head)
    names, key = head['fields'], head['fields'].index('evt.num')
    want = {w[key]: w for w in map(json.loads, lines)}
    out = _text(done(saker('print', path, '--format', '*' + RS + US.join('%' + n for n in names))))
    differ, example = collections.Counter(), {}
    events = out.split(RS)[1:]
    for event in events:
        got = event[:-1].split(US)
        w = want.pop(got[key], None)
        args = w[names.index('evt.args')] if w else ''
        for n, a, b in zip(names, got, w or []):
            if a != b and not _is_known(n, a, b, args):
                differ[n] += 1
                example.setdefault(n, f'event {got[key]}: got {a!r:.80} want {b!r:.80}')
    check(not differ, differ.most_common(8), list(example.items())[:8])
    equal(len(events), head['events'])
    check(not want, 'events not printed:', list(want)[:10])


def _filters(path, name):
    wrong = []
    for expr, want in json.loads(_expected(f'{name}.filters.json')).items():
        r = saker('print', path, '--filter', expr, '--format', '*%evt.num')
        if 'error' in want:
            ok = r.returncode == 1 and r.stderr.strip() and not r.stdout
        else:
            ok = r.returncode == 0 and list(map(int, r.stdout.split())) == want['events']
        if not ok and expr not in TOO_EARLY:
            wrong.append(expr)
    check(not wrong, len(wrong), 'conditions, such as', wrong[:5])


def _alerts_json(path, name):
    def key(line):
        a = json.loads(line)
        a.pop('hostname')
        a['tags'] = sorted(a.get('tags') or [])
        for f in UNSTABLE:
            a['output_fields'].pop(f, None)
        return json.dumps(a, sort_keys=True)

    out = done(saker('replay', path, '--rules', PROBE, '--json'))
    got, want = ([key(x) for x in _text(t).split('\n') if x.startswith('{')]
                 for t in (out, _expected(f'{name}.probe.alerts.jsonl')))
    missing = collections.Counter(want) - collections.Counter(got)
    extra = collections.Counter(got) - collections.Counter(want)
    check(not missing and not extra, sum(missing.values()), 'missing', sum(extra.values()), 'too many; missing',
          list(missing)[:1], 'too many', list(extra)[:1])


def _alerts_text(path, name):
    got = done(saker('replay', path, '--rules', PROBE)).split(b'\n')
    want = _expected(f'{name}.probe.alerts.txt').split(b'\n')
    for i, (g, w) in enumerate(zip(got, want)):
        equal(g, w, 'line', i + 1)
    equal(len(got), len(want))


SUITES = {'fields': _fields, 'filters.json': _filters, 'probe.alerts.jsonl': _alerts_json,
          'probe.alerts.txt': _alerts_text}


def _tests():
    tests = {}
    for path in sorted(glob.glob(f'{SOURCE}/tests/captures/*')):
        name = os.path.basename(path).split('.')[0]
        for suite, compare in SUITES.items():
            if os.path.exists(f'{SOURCE}/tests/expected/{name}.{suite}.xz'):
                def test(compare=compare, path=path, name=name):
                    compare(path, name)
                tests[f'{name}_{suite}'] = test
    return tests


tap.run(_tests())
