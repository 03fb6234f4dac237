# SPDX-License-Identifier: Apache-2.0
"""Saker under the name falco: that program's flags, output and exit codes."""
import base64
import json
import os
import re
import subprocess

import jsonschema
import yaml

from tap import SAKER, SOURCE, TMP, capture, check, done, equal, fails, file, run

FILES = capture('files.scap.gz')
RULES = '''
- list: readers
  items: [cat]
- macro: reads
  condition: evt.type in (open, openat) and proc.name in (readers)
- rule: Opened by cat
  desc: some of it
  condition: reads
  output: read %fd.name
  priority: WARNING
  tags: [file]
- rule: Executed
  desc: programs
  condition: evt.type = execve and evt.rawres = 0
  output: ran %proc.name
  priority: INFO
  tags: [process]
'''


def _falco(*args, **more):
    return subprocess.run([SAKER, 'falco', *args], capture_output=True, timeout=120, env={**os.environ, 'TZ': 'UTC'},
                          **more)


def _config(text='', rules=RULES):
    """A configuration that replays FILES."""
    return file('falco.yaml', f'engine: {{kind: replay, replay: {{capture_file: "{FILES}"}}}}\n'
                f'rules_files: [{file("rules.yaml", rules)}]\nappend_output: []\n' + text)


def _alerts(*args, text=''):
    out = done(_falco('-c', _config('json_output: true\n' + text), *args)).decode().splitlines()
    return [json.loads(x) for x in out if x.startswith('{')]


def _rules(*args, text=''):
    return {a['rule'] for a in _alerts(*args, text=text)}


def a_link_of_that_name_is_enough():
    link = f'{TMP}/falco'
    os.path.lexists(link) or os.symlink(os.path.abspath(SAKER), link)
    got = subprocess.run([link, '--version'], capture_output=True)
    equal(got.returncode, 0, got.stderr)
    equal(got.stdout, _falco('--version').stdout)


def rules_files_of_the_configuration_are_watched_for():
    got = _falco('-c', _config())
    text = done(got).decode()
    check(re.search(r'^\d\d:\d\d:\d\d\.\d{9}: Warning read ', text, re.M), text[:300])
    n = len(re.findall(r': Warning read ', text)), len(re.findall(r': Informational ran ', text))
    check(f'Events detected: {sum(n)}\nRule counts by severity:\n   WARNING: {n[0]}\n   INFO: {n[1]}\n'
          f'Triggered rules by rule name:\n   Opened by cat: {n[0]}\n   Executed: {n[1]}\n' in text, text[-400:])
    log = got.stderr.decode()
    for line in ('Falco initialized with configuration files:', f'   {TMP}/falco.yaml | schema validation: ok',
                 'Loading rules from:', f'   {TMP}/rules.yaml'):
        check(re.search(r'^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ' + re.escape(line), log, re.M), line, log)
    check('saker:' not in log, log)


def r_stands_instead_of_rules_files():
    other = file('other.yaml', '- rule: O\n  desc: d\n  condition: evt.type=execve\n  output: o\n  priority: INFO\n')
    equal(_rules('-r', other), {'O'})


def o_wins_over_the_file():
    equal(_rules('-o', 'priority=warning'), {'Opened by cat'})
    equal(_rules('-o', 'rules[]={disable: {tag: file}}'), {'Executed'})


def old_flags_keep_their_meaning_and_say_what_stands_instead():
    for args, rules, instead in ((['-t', 'process'], {'Executed'}, 'enable: {tag: TAG}'),
                                 (['-T', 'file', '-T', 'none'], {'Executed'}, 'disable: {tag: TAG}'),
                                 (['-D', 'by c'], {'Executed'}, '*SUBSTRING*'),
                                 (['-A'], {'Executed', 'Opened by cat'}, 'base_syscalls.all'),
                                 (['-S', '100'], {'Executed', 'Opened by cat'}, 'falco_libs.snaplen'),
                                 (['--cri', '/nowhere/cri.sock'], {'Executed', 'Opened by cat'}, 'engines.cri.sockets')):
        got = _falco('-c', _config('json_output: true\n'), *args)
        equal({json.loads(x)['rule'] for x in done(got).splitlines() if x.startswith(b'{')}, rules, args)
        lines = [x for x in got.stderr.decode().splitlines() if 'is an old flag' in x]
        check(len(lines) == 1 and instead in lines[0], got.stderr)
    config = file('live.yaml', f'rules_files: [{file("rules.yaml", RULES)}]\njson_output: true\n')
    check(b'"rule":"Executed"' in done(_falco('-c', config, '-e', FILES)))


def what_is_on_and_what_is_off_cannot_both_be_said():
    for other in ('-D', '-T'):
        fails(_falco('-c', _config(), '-t', 'process', other, 'file'), 1, '-t says which rules are on')


def old_flags_come_after_rules_of_the_configuration_and_before_o():
    off = 'rules: [{disable: {tag: process}}]\n'
    equal(_rules('-t', 'process', text=off), {'Executed'})
    equal(_rules('-D', 'Opened', text='rules: [{enable: {rule: "*"}}]\n'), {'Executed'})
    equal(_rules('-t', 'process', '-o', 'rules[]={enable: {tag: file}}'), {'Executed', 'Opened by cat'})


def M_ends_a_capture_by_its_own_time():
    times = [int(t) for t in done(subprocess.run([SAKER, 'print', FILES, '-p', '%evt.rawtime'],
                                                 capture_output=True)).split()]
    got = {a['output_fields']['evt.time'] for a in _alerts('-M', '2')}
    whole = {a['output_fields']['evt.time'] for a in _alerts()}
    equal(got, {t for t in whole if t - times[0] < 2_000_000_000})
    check(got and got != whole)


def what_is_gone_is_taken_and_said():
    for args in (['-m', 'http://x'], ['-g', 'x'], ['--gvisor-root', 'x'], ['--disable-cri-async']):
        got = _falco('-c', _config(), '--dry-run', *args)
        done(got)
        equal(len([x for x in got.stderr.decode().splitlines() if 'has no effect' in x]), 1, got.stderr)


def details_stand_behind_outputs():
    for flag in ('-pc', '-pcontainer'):
        check(all('container=' in a['output'] for a in _alerts(flag)))
    check(all('k8s.pod=' in a['output'] for a in _alerts('-pk')))
    check(all(a['output'].endswith(' and more') for a in _alerts('-p', 'and more')))


def a_dry_run_does_everything_but_watch():
    got = _falco('-c', _config(), '--dry-run')
    equal(done(got), b'')
    fails(_falco('-c', _config(rules='- rule: x\n'), '--dry-run'), 1, 'Error: ')
    config = file('live.yaml', f'rules_files: [{file("rules.yaml", RULES)}]\n')
    equal(done(_falco('-c', config, '--dry-run')), b'')


def V_checks_rule_files():
    good, bad = file('good.yaml', RULES), file('bad.yaml', '- rule: x\n')
    text = done(_falco('-c', _config(), '-V', good)).decode()
    check(text.startswith(f'{good}: Ok'), text)
    got = _falco('-c', _config(), '-V', good, '-V', bad)
    equal(got.returncode, 1)
    verdict = json.loads(_falco('-c', _config('json_output: true\n'), '-V', bad).stdout)
    equal([r['successful'] for r in verdict['falco_load_results']], [False])


def L_describes_rules():
    text = done(_falco('-c', _config(), '-L')).decode()
    check(text.startswith('Rule' + ' ' * 47 + 'Description\n') and 'Opened by cat' + ' ' * 38 + 'some of it\n' in text, text)
    text = done(_falco('-c', _config(), '-l', 'Executed')).decode()
    check('programs' in text and 'some of it' not in text, text)
    all_ = json.loads(done(_falco('-c', _config('json_output: true\n'), '-L')))
    equal(([r['info']['name'] for r in all_['rules']], [m['info']['name'] for m in all_['macros']],
           [x['info']['name'] for x in all_['lists']]), (['Opened by cat', 'Executed'], ['reads'], ['readers']))
    one = json.loads(done(_falco('-c', _config('json_output: true\n'), '-l', 'Executed')))
    equal([r['info']['name'] for r in one['rules']], ['Executed'])
    fails(_falco('-c', _config(), '-l', 'Nothing'), 1, "Error: there is no rule 'Nothing'")


def lists_have_three_formats():
    config = ['-c', _config()]
    text = done(_falco(*config, '--list')).decode()
    check(text.startswith('-' * 31 + '\nField Class:                  evt\n') and '\nproc.name ' in text)
    equal(done(_falco(*config, '--list=syscall')).decode(), text)
    fails(_falco(*config, '--list=nosuch'), 1, "Error: there is no event source 'nosuch'")
    names = done(_falco(*config, '--list', '-N')).decode().splitlines()
    check('proc.name' in names and len(set(names)) == len(names) and all(re.fullmatch(r'[a-z0-9_.]+', x) for x in names))
    equal(json.loads(done(_falco(*config, '--list', '-N', '--format', 'json'))), {'fieldnames': names})
    check(json.loads(done(_falco(*config, '--list', '--format', 'json')))['fieldclasses'])
    check(done(_falco(*config, '--list', '--format', 'markdown')).startswith(b'## Field Class: '))
    check(b'openat' in done(_falco('--list-events')) and json.loads(done(_falco('--list-events', '--format', 'json'))))
    fails(_falco(*config, '--list', '--format', 'xml'), 1, 'text, markdown or json')


def what_is_ignored_is_printed():
    lines = done(_falco('-i')).decode().splitlines()
    equal(lines[:2], ['', 'Ignored syscall(s):'])
    equal(sorted(lines[2:]), ['- ' + x for x in ('pread', 'preadv', 'pwrite', 'pwritev', 'read', 'readv', 'recv', 'send',
                                                 'sendfile', 'write', 'writev')])


def versions_have_the_references_names():
    text = done(_falco('--version')).decode()
    for line in ('Falco version: ', 'Libs version:  ', 'Plugin API:    3.', 'Engine:        0.62.0', 'Driver:',
                 '  API version:    ', '  Schema version: ', '  Default driver: '):
        check(f'\n{line}' in f'\n{text}', line, text)
    got = json.loads(done(_falco('-c', _config(), '-o', 'json_output=true', '--version')))
    for key in ('falco_version', 'libs_version', 'plugin_api_version', 'driver_api_version', 'driver_schema_version',
                'default_driver_version', 'engine_version', 'engine_version_semver'):
        check(isinstance(got[key], str) and got[key], key)
    equal(done(_falco('--page-size')), f'Your system page size is: {os.sysconf("SC_PAGESIZE")} bytes\n'.encode())


def support_holds_what_runs():
    config = _config()
    got = json.loads(done(_falco('-c', config, '--support')))
    equal(got['cmdline'], f'falco -c {config} --support')
    equal(got['config'], open(config).read())
    equal(got['rules_files'], [{'name': f'{TMP}/rules.yaml', 'variants': [{'content': RULES}]}])
    equal(got['engine_info'], {'engine_version': '0.62.0'})
    equal(got['system_info']['nodename'], os.uname().nodename)


def errors_end_with_status_1():
    fails(_falco('-c', '/nowhere.yaml'), 1, 'Error: Could not find configuration file at /nowhere.yaml')
    fails(_falco('--nosuch'), 1, "Error: unknown option '--nosuch'")
    fails(_falco('stray'), 1, "Error: 'stray' is no option")
    fails(_falco('-c', file('none.yaml', 'json_output: false\n')), 1, 'Error: there are no rules')
    fails(_falco('-c', _config('priority: wraning\n')), 1, 'Error: ', 'priority wants one of')
    fails(_falco('-c', _config(), '-o', 'engine.kind=gvisor'), 1, 'gvisor is not supported')


def old_drivers_mean_ebpf():
    config = file('live.yaml', f'rules_files: [{file("rules.yaml", RULES)}]\n')
    for kind in ('kmod', 'ebpf'):
        got = _falco('-c', config, '-o', f'engine.kind={kind}', '--dry-run')
        done(got)
        check(f'engine.kind {kind} means modern_ebpf here'.encode() in got.stderr, got.stderr)
    done(_falco('-c', config, '--modern-bpf', '--dry-run'))


def without_a_driver_there_must_be_a_plugin():
    config = file('live.yaml', f'rules_files: [{file("rules.yaml", RULES)}]\n')
    fails(_falco('-c', config, '--nodriver'), 1, 'Error: engine.kind nodriver')
    fails(_falco('-c', config, '--disable-source', 'syscall'), 1, 'Error: no event source is left')
    fails(_falco('-c', config, '--enable-source', 'nosuch'), 1, "Error: there is no event source 'nosuch'")


def help_has_every_flag():
    text = done(_falco('--help')).decode()
    flags = json.loads(done(subprocess.run([SAKER, 'list', 'flags', '--json'], capture_output=True)))['flags']
    check(len(flags) > 40)
    for f in flags:
        check(f'--{f["name"]}' in text, f)
        if f['letter']:
            check(f'-{f["letter"]}, --{f["name"]}' in text, f)


def every_stock_key_at_its_stock_value_starts():
    folder = f'{TMP}/stock'
    os.makedirs(f'{folder}/rules', exist_ok=True)
    text = open(f'{SOURCE}/tests/cli/stock.yaml').read().replace('CONFIG_D', folder + '/config.d')
    with open(f'{folder}/rules/falco_rules.yaml', 'w') as f:
        f.write(open(f'{SOURCE}/rules/saker_rules.yaml').read())
    config = file('stock.yaml', text.replace('RULES', folder + '/rules'))
    got = _falco('-c', config, '--dry-run')
    equal(done(got), b'')
    out = done(_falco('-c', config, '-o', 'engine.kind=replay', '-o', f'engine.replay.capture_file={FILES}'))
    check(b'Events detected: ' in out)


def _schema(flag):
    text = done(_falco(flag))
    validator = jsonschema.Draft7Validator(json.loads(text))
    validator.check_schema(validator.schema)
    return validator


def _errors(validator, document):
    return sorted({'/'.join(str(x) for x in e.absolute_path) for e in validator.iter_errors(document)})


def the_schema_of_configurations_tells_good_from_bad():
    v = _schema('--config-schema')
    with open(f'{SOURCE}/tests/cli/stock.yaml') as f:
        equal(_errors(v, yaml.safe_load(f)), [])
    good = {'priority': 'Debug', 'metrics': {'interval': '1h30m', 'enabled': '${METRICS}'}, 'rules_files': 'one.yaml',
            'config_files': ['a.yaml', {'path': 'b.yaml', 'strategy': 'override'}], 'static_fields': {'a': 'b'},
            'append_output': [{'match': {'tags': ['x']}, 'extra_fields': ['evt.num', {'n': '%evt.num'}]}],
            'rules': [{'disable': {'rule': '*'}}, {'enable': {'tag': 'x'}}]}
    equal(_errors(v, good), [])
    for bad in ({'webserver': {'listen_port': 70000}}, {'priority': 'loud'}, {'json_output': 'maybe'},
                {'metrics': {'interval': 'soon'}}, {'rules_files': {'a': 1}}, {'webserver': {'threadiness': 'many'}},
                {'config_files': [{'path': 'b.yaml', 'strategy': 'guess'}]}, {'syscall_event_drops': {'actions': ['cry']}}):
        equal(len(_errors(v, bad)), 1, bad)


class _Rules(yaml.SafeLoader):
    """A lone '=' is a text: operators are."""


_Rules.add_constructor('tag:yaml.org,2002:value', lambda loader, node: node.value)


def the_schema_of_rule_files_tells_good_from_bad():
    v = _schema('--rule-schema')
    with open(f'{SOURCE}/rules/saker_rules.yaml') as f:
        equal(_errors(v, yaml.load(f, _Rules)), [])
    for bad in ([{'rule': 'x', 'priority': 'LOUD'}], [{'rule': 'x', 'nosuch': 1}], {'rule': 'x'}, [{'macro': []}],
                [{'rule': 'x', 'exceptions': [{'fields': ['proc.name']}]}], [{'rule': 'x', 'override': {'tags': 'add'}}]):
        check(_errors(v, bad), bad)


def static_fields_are_fields_of_every_event():
    rules = file('static.yaml', '''
- rule: Static
  desc: d
  condition: evt.type = openat and static.site = here
  output: "%static.site %static.number"
  priority: INFO
''')
    config = file('static-config.yaml', f'rules_files: [{rules}]\njson_output: true\nengine: {{kind: replay, replay: {{capture_file: '
                  f'{FILES}}}}}\nstatic_fields: {{site: here, number: 7}}\n')
    alerts = [json.loads(x) for x in done(_falco('-c', config)).decode().splitlines() if x.startswith('{')]
    check(alerts and alerts[0]['output_fields']['static.number'] == '7', alerts[:1])
    check('here 7' in alerts[0]['output'], alerts[0])
    fails(_falco('-c', config, '-o', 'static_fields.site=there', '-o', 'static_fields.bad name=1'), 1, 'static.bad name')
    lines = [x for x in done(_falco('-c', config, '-o', 'static_fields.site=there')).decode().splitlines() if x[0] == '{']
    equal(lines, [])


def buffers_are_shown_as_base64_where_that_is_wanted():
    rules = file('buffer.yaml', '''
- rule: Written
  desc: d
  condition: evt.type = write
  output: "%evt.buffer"
  priority: INFO
''')
    config = file('buffer-config.yaml', f'rules_files: [{rules}]\njson_output: true\nengine: {{kind: replay, replay: {{capture_file: '
                  f'{FILES}}}}}\nbase_syscalls: {{all: true}}\nappend_output: []\n')
    shown = []
    for option in ('false', 'true'):
        out = done(_falco('-c', config, '-o', f'buffer_format_base64={option}')).decode().splitlines()
        shown.append([json.loads(x)['output_fields']['evt.buffer'] for x in out if x.startswith('{')])
    check(shown[0] and len(shown[0]) == len(shown[1]), shown)
    for text, coded in zip(*shown):
        bytes_ = base64.b64decode(coded or '', validate=True)
        equal(len(bytes_), len(text or ''))


run(globals())
