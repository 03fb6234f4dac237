# SPDX-License-Identifier: Apache-2.0
"""docs/COMPATIBILITY.md is what the program's own tables say; `--write` writes it anew."""
import json
import sys

from tap import SOURCE, check, done, equal, run, saker

PATH = f'{SOURCE}/docs/COMPATIBILITY.md'
HEAD = '''# Compatibility

What Saker does of the reference's command line and configuration (0.44.1, and what older versions had). Written from the
program's own tables by `tests/cli/compatibility.py --write`, which as a test compares it with them.

- **done**: does what it does there. **done, old**: the reference has removed it; it keeps its last meaning, and one line
  says what stands instead.
- **without effect**: taken; there is nothing here that it would change, and setting it is told.
- **gone**: taken from old files; a line says what stands instead.
- **not yet**: taken, or for flags refused, and told. {not_yet} of {all} are.

Plugins' side is in `docs/PLUGINS.md`, which functions of the interface are there included. Fields, events and rules:
`docs/reference/` and `docs/DIFFERENCES.md`.
'''


def _listed(what):
    return json.loads(done(saker('list', what, '--json')))[what]


def _table(head, rows):
    return f'\n{" | ".join(head)}\n' + '|'.join([':---'] * len(head)) + '\n' + ''.join(' | '.join(r) + '\n' for r in rows)


def _flag(f):
    value = f' {f["value"]}' if f['value'] else ''
    return (f'-{f["letter"]}, ' if f['letter'] else '') + f'--{f["name"]}{value}'


def _document():
    flags = _listed('flags')
    keys = [k for k in _listed('config') if not k['key'].startswith('saker.')]
    rows = [(f'`{_flag(f)}`', f['state'], f['help']) for f in flags]
    kept = [(f'`{k["key"]}`', k['state'], k['help']) for k in keys]
    head = HEAD.format(not_yet=sum(r[1] == 'not yet' for r in rows + kept), all=len(rows + kept))
    return (head + '\n## Flags\n' + _table(('Flag', 'State', 'Meaning, or what stands instead'), rows) +
            '\n## Keys of the configuration\n' + _table(('Key', 'State', 'Meaning'), kept))


def the_document_is_what_the_tables_say():
    check(open(PATH).read() == _document(), 'run tests/cli/compatibility.py --write')


def every_flag_of_the_reference_is_there():
    flags = _listed('flags')
    letters = {f['letter'] for f in flags} | {'h'}
    names = {f['name'] for f in flags} | {'help'}
    equal({x for x in 'hciLlMopPrUVvN' + 'AbeDTtsSkKm'} - letters, set())
    equal({'help', 'config-schema', 'rule-schema', 'disable-source', 'enable-source', 'dry-run', 'list', 'list-events',
           'list-plugins', 'plugin-info', 'support', 'version', 'page-size', 'format', 'markdown', 'cri', 'modern-bpf',
           'nodriver', 'gvisor-config', 'gvisor-root', 'gvisor-generate-config'} - names, set())


def every_stock_key_is_there():
    known = {k['key'] for k in _listed('config')}
    entries = json.loads(saker('config', '--json', '-c', f'{SOURCE}/tests/cli/stock.yaml').stdout)['config']
    said = {e['key'] for e in entries if e['from'] != 'default'}
    check(len(said) > 100, len(said))
    for key in said:
        base = key.split('[')[0]
        check(key in known or any(k.split('[')[0] == base for k in known), key)


if '--write' in sys.argv:
    with open(PATH, 'w') as f:
        f.write(_document())
else:
    run(globals())
