# SPDX-License-Identifier: Apache-2.0
"""docs/COMPATIBILITY.md is what the program's own tables say; `--write` writes it anew."""
import json
import re
import sys

from tap import SOURCE, check, done, equal, run, saker

PATH = f'{SOURCE}/docs/COMPATIBILITY.md'
HEAD = '''# Compatibility

What Saker does of the reference's command line, configuration, metrics, web server and plugin interface (0.44.1, and what
older versions had). Written from the program's own tables by `tests/cli/compatibility.py --write`, which as a test compares it with them.

- **done**: does what it does there. **done, old**: the reference has removed it; it keeps its last meaning, and one line
  says what stands instead.
- **without effect**: taken; there is nothing here that it would change, and setting it is told.
- **gone**: taken from old files; a line says what stands instead.
- **not yet**: taken, and told. {not_yet} of {all} are.

Plugins' side in words is in `docs/PLUGINS.md`. Fields, events and rules: `docs/reference/` and `docs/DIFFERENCES.md`.
'''


def _listed(what):
    return json.loads(done(saker('list', what, '--json')))[what]


def _table(head, rows):
    return f'\n{" | ".join(head)}\n' + '|'.join([':---'] * len(head)) + '\n' + ''.join(' | '.join(r) + '\n' for r in rows)


def _flag(f):
    value = f' {f["value"]}' if f['value'] else ''
    return (f'-{f["letter"]}, ' if f['letter'] else '') + f'--{f["name"]}{value}'


METRICS = '''
## Metrics

All are counted. Those of the reference have its names (`falcosecurity_...`), those of Saker alone begin with `saker_`; `*` is
any text. Snapshots are `metrics.output_rule` and `metrics.output_file`; memory is in MB there unless
`metrics.convert_memory_to_mb` is false.
'''
ENDPOINTS = '''
## HTTP endpoints
'''
FUNCTIONS = '''
## Functions of plugins

All are called. A plugin whose needed ones are missing is refused; the others make out what it is able to do.
'''
HOST = '''
## Functions for plugins

What plugins may call, by its name in `include/saker/plugin.h`.
'''


def _code(text):
    return f'`{text}`' if text else ''


def _metrics():
    return [(_code(m['name']), m['labels'], _code(m['key']), m['help']) for m in _listed('metrics')]


def _endpoints():
    return [(_code(e['path']) + (f', else as `{e["path_key"]}` says' if e['path_key'] else ''), e['type'],
             ', '.join(_code(x) for x in e['wants'].split(', ')), e['help']) for e in _listed('endpoints')]


def _functions():
    return [(_code(s['name']), 'needed' if s['needed'] else 'as its abilities want') for s in _listed('symbols')]


def _host_functions():
    """Members of structs that plugins are given, but for those of the plugin's own interface."""
    with open(f'{SOURCE}/include/saker/plugin.h') as f:
        members = re.findall(r'\(\*([a-z_]+)\)\(', f.read())
    own = {s['name'].removeprefix('plugin_') for s in _listed('symbols')}
    return sorted(set(members) - own)


def _document():
    flags = _listed('flags')
    keys = [k for k in _listed('config') if not k['key'].startswith('saker.')]
    rows = [(f'`{_flag(f)}`', f['state'], f['help']) for f in flags]
    kept = [(f'`{k["key"]}`', k['state'], k['help']) for k in keys]
    head = HEAD.format(not_yet=sum(r[1] == 'not yet' for r in rows + kept), all=len(rows + kept))
    return (head + '\n## Flags\n' + _table(('Flag', 'State', 'Meaning, or what stands instead'), rows) +
            '\n## Keys of the configuration\n' + _table(('Key', 'State', 'Meaning'), kept) +
            METRICS + _table(('Metric', 'Labels', 'In snapshots', 'Meaning'), _metrics()) +
            ENDPOINTS + _table(('Path', 'Type', 'Wants', 'Answer'), _endpoints()) +
            FUNCTIONS + _table(('Function', 'When'), _functions()) +
            HOST + _table(('Function',), [(f'`{x}`',) for x in _host_functions()]))


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
    text = _document()
    with open(PATH, 'w') as f:
        f.write(text)
else:
    run(globals())
