# SPDX-License-Identifier: Apache-2.0
"""saker config: files, folders and single values; what is wrong with them."""
import json
import os

from tap import check, done, equal, fails, file, run, saker, SOURCE, TMP

STOCK = open(f'{SOURCE}/tests/cli/stock.yaml').read()


def _folder(name, **files):
    path = os.path.join(TMP, name)
    os.makedirs(path, exist_ok=True)
    for key, text in files.items():
        with open(os.path.join(path, key.replace('__', '.')), 'w') as f:
            f.write(text)
    return path


def _config(*args, **more):
    """By key: the whole entry."""
    result = json.loads(done(saker('config', '--json', *args, **more)))
    return {e['key']: e for e in result['config']}, result['files']


def _values(*args, **more):
    return {key: e['value'] for key, e in _config(*args, **more)[0].items()}


def without_a_file_all_is_default():
    entries, files = _config()
    equal(files, [])
    check(len(entries) > 140 and all(e['from'] == 'default' for e in entries.values()))
    equal(entries['json_output'], {'key': 'json_output', 'value': False, 'from': 'default', 'reader': 'alerts'})
    equal(entries['falco_libs.thread_table_size']['value'], 262144)
    equal(entries['syscall_event_drops.threshold']['value'], 0.1)
    equal(entries['syscall_event_drops.actions']['value'], ['ignore'])


def a_value_says_where_it_was_said():
    path = file('a.yaml', 'json_output: true\nengine:\n  kind: modern_ebpf\nrules_files: [x, y]\n')
    entries, files = _config('-c', path, '-o', 'priority=error')
    equal(files, [path])
    equal(entries['json_output'], {'key': 'json_output', 'value': True, 'from': path, 'line': 1, 'column': 14,
                                   'reader': 'alerts'})
    equal(entries['engine.kind']['line'], 3)
    equal(entries['rules_files[1]']['value'], 'y')
    equal(entries['priority']['from'], '-o priority=error')
    text = done(saker('config', '-c', path)).decode()
    check(f'\njson_output = true  # {path}:1:14\n' in text and '\nrule_matching = "first"  # default\n' in text, text)


def what_is_printed_can_be_given_as_options():
    path = file('a.yaml', 'json_output: true\nrules_files: [x, "y z"]\nstatic_fields: {a: "b=c"}\n'
                'plugins: [{name: container, init_config: {hooks: [create, start]}}]\n')
    lines = [x for x in done(saker('config', '-c', path)).decode().splitlines() if not x.endswith('# default')]
    options = []
    for line in lines:
        key, value = line.split('  # ')[0].split(' = ', 1)
        options += ['-o', f'{key}={json.loads(value) if value.startswith(chr(34)) else value}']
    def of(*args):
        return [(e['key'], e['value']) for e in _config(*args)[0].values() if e['from'] != 'default']
    equal(of(*options), of('-c', path))


def every_stock_key_at_its_stock_value_is_accepted():
    path = file('stock.yaml', STOCK)
    got = saker('config', '--json', '-c', path)
    equal(got.returncode, 0, got.stderr)
    told = [x.split(': warning: ')[1] for x in got.stderr.decode().splitlines() if ': warning: ' in x]
    for line in told:
        check(line.endswith('known, not used yet: what it says has no effect'), line)
    entries = {e['key']: e for e in json.loads(got.stdout)['config']}
    used = [k for k, e in entries.items() if e['from'] == 'default' and not k.startswith(('saker.', 'metadata_', 'rules'))
            and k not in ('static_fields', 'outputs.rate', 'outputs.max_burst', 'engine.ebpf.probe',
                          'engine.ebpf.buf_size_preset', 'engine.ebpf.drop_failed_exit', 'append_output', 'rules_file',
                          'load_plugins', 'base_syscalls.custom_set')]
    equal([k for k in used if 'static' not in k and 'host_root' not in k], [])


def files_of_a_folder_are_merged_in_order():
    folder = _folder('config.d', b__yaml='rules_files: [b]\npriority: info\n', a__yaml='rules_files: [a]\npriority: error\n')
    os.makedirs(f'{folder}/more', exist_ok=True)
    path = file('main.yaml', f'rules_files: [main]\nconfig_files: [{folder}]\n')
    entries, files = _config('-c', path)
    equal(files, [path, f'{folder}/a.yaml', f'{folder}/b.yaml'])
    equal([entries[f'rules_files[{i}]']['value'] for i in range(3)], ['main', 'a', 'b'])
    equal(entries['priority']['value'], 'info')
    equal(entries['rules_files[2]']['from'], f'{folder}/b.yaml')


def strategies_say_how():
    more = file('more.yaml', 'rules_files: [more]\npriority: error\njson_output: true\n')
    for strategy, files, priority in (('append', ['main', 'more'], 'error'), ('override', ['more'], 'error'),
                                      ('add-only', ['main'], 'info')):
        path = file('main.yaml', f'rules_files: [main]\npriority: info\n'
                    f'config_files: [{{path: {more}, strategy: {strategy}}}]\n')
        values = _values('-c', path)
        equal([v for k, v in values.items() if k.startswith('rules_files[')], files, strategy)
        equal((values['priority'], values['json_output']), (priority, True), strategy)
    path = file('main.yaml', f'config_files: [{{path: {more}, strategy: prepend}}]\n')
    fails(saker('config', '-c', path), 1, f'{path}:1:', 'append, override or add-only')


def options_may_say_what_is_included():
    more = file('more.yaml', 'priority: error\n')
    path = file('main.yaml', 'priority: info\n')
    equal(_values('-c', path, '-o', f'config_files[]={more}')['priority'], 'error')
    equal(_values('-o', f'config_files={more}')['priority'], 'error')
    equal(_values('-o', f'config_files[]={{path: {more}}}', '-o', 'priority=alert')['priority'], 'alert')


def what_includes_itself_is_refused():
    folder = _folder('circle.d')
    path = f'{folder}/main.yaml'
    with open(path, 'w') as f:
        f.write(f'config_files: [{folder}]\n')
    fails(saker('config', '-c', path), 1, f'{path}:1:16', 'includes itself')
    again = f'{folder}/other.yaml'
    if not os.path.lexists(f'{folder}/loop'):
        os.symlink(folder, f'{folder}/loop')
        os.symlink(path, again)
    with open(path, 'w') as f:
        f.write(f'config_files: [{folder}/loop/loop, {again}]\n')
    fails(saker('config', '-c', path), 1, 'includes itself')
    nested = file('nested.yaml', f'config_files: [{path}]\n')
    fails(saker('config', '-c', file('top.yaml', f'config_files: [{nested}]\n')), 1, f'{nested}:1:15',
          'only the main file may include others')
    os.path.lexists(f'{TMP}/self') or os.symlink('self', f'{TMP}/self')
    fails(saker('config', '-c', f'{TMP}/self'), 1, 'symbolic links')


def what_is_missing_is_left_out_but_not_the_main_file():
    path = file('main.yaml', 'config_files: [/nowhere/at/all]\n')
    equal(_config('-c', path)[1], [path])
    fails(saker('config', '-c', '/nowhere.yaml'), 1, '/nowhere.yaml: No such file')
    fails(saker('config', '-c', '/'), 1, 'is a folder')
    fails(saker('config', '-o', 'config_files=/dev/zero'), 1, 'is no file')


def an_error_shows_its_line():
    path = file('bad.yaml', 'json_output: true\npriority: wraning\n')
    fails(saker('config', '-c', path), 1, f'{path}:2:11: priority wants one of', "did you mean 'warning'?",
          'priority: wraning\n          ^')
    fails(saker('config', '-o', 'priority=wraning'), 1, "-o priority=wraning: priority wants one of")
    for text in ('a: [', '- a', 'a: b: c', 'a: *b', '\x01', '"a', '? [x]\n: y'):
        fails(saker('config', '-c', file('bad.yaml', text)), 1, f'{TMP}/bad.yaml:')
    fails(saker('config', '-c', file('bad.yaml', b'a: \xff\xfe')), 1, f'{TMP}/bad.yaml:1:')


def wrong_types_and_values_out_of_range_are_errors():
    """Of every key that has a type that can be wrong."""
    table = json.loads(done(saker('list', 'config', '--json')))['config']
    wrong = {'boolean': 'perhaps', 'number': '-1', 'decimal': 'x', 'size': '1X', 'duration': '5', 'word': 'no-such',
             'list of words': 'no-such'}
    for k in table:
        key, kind = k['key'], k['type']
        if k['gone'] or kind in ('any', 'list') or '*' in key:
            continue
        if kind in wrong:
            fails(saker('config', '-o', f'{key}={wrong[kind]}'), 1, 'wants', wrong[kind])
        value = '{a: {b: [c]}}'
        if not key.endswith(']'):
            fails(saker('config', '-o', f'{key}={value}'), 1, 'wants')
        if kind == 'number' and k['limits']:
            fails(saker('config', '-o', f'{key}={int(k["limits"].split("..")[1]) + 1}'), 1, 'wants a whole number')


def unknown_keys_are_warned_of():
    path = file('unknown.yaml', 'jsonoutput: true\nengine: {kindd: x}\n')
    got = saker('config', '-c', path)
    equal(got.returncode, 0)
    for text in (f"{path}:1:13: warning: unknown key 'jsonoutput'; did you mean 'json_output'?",
                 "unknown key 'engine.kindd'; did you mean 'kind'?"):
        check(text.encode() in got.stderr, text, got.stderr)


def what_is_known_but_not_used_is_said():
    got = saker('config', '-o', 'grpc.enabled=true', '-o', 'syscall_buf_size_preset=5')
    equal(got.returncode, 0)
    check(b'use http_output' in got.stderr and b'engine.modern_ebpf.buf_size_preset now' in got.stderr, got.stderr)


def variables_come_from_the_environment():
    path = file('env.yaml', 'priority: ${SAKER_P}\nrules_files: ["${SAKER_R}/x", "$${SAKER_R}"]\n')
    values = _values('-c', path, env={'SAKER_P': 'alert', 'SAKER_R': '/r'})
    equal((values['priority'], values['rules_files[0]'], values['rules_files[1]']), ('alert', '/r/x', '${SAKER_R}'))
    equal(_values('-o', 'http_output.url=${SAKER_P}', env={'SAKER_P': 'x'})['http_output.url'], '${SAKER_P}')


def what_is_too_much_is_refused():
    bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n' + ''.join(
        f'a{i}: &a{i} [{",".join([f"*a{i - 1}"] * 10)}]\n' for i in range(1, 9))
    fails(saker('config', '-c', file('bomb.yaml', bomb)), 1, f'{TMP}/bomb.yaml:')
    long = 'a: &a "' + 'x' * 1000000 + '"\nb: [' + ','.join(['*a'] * 200) + ']\n'
    fails(saker('config', '-c', file('long.yaml', long)), 1, 'more than 64 MiB of text')
    fails(saker('config', '-c', file('deep.yaml', 'a: ' + '[' * 1000)), 1, 'nested too deeply')
    fails(saker('config', '-c', '/dev/zero'), 1, 'too long')
    ten = ''.join(f'zz{i}: {"y" * 80}\n' for i in range(110000)) + 'priority: error\n'
    check(len(ten) > 9 << 20)
    got = saker('config', '-c', file('ten.yaml', ten))
    equal(got.returncode, 0)
    check(b'\npriority = "error"' in got.stdout and b'and 109980 more warnings' in got.stderr, got.stderr[-300:])
    big = 'static_fields: {x: "' + '${SAKER_BIG}' * 2000 + '"}\n'
    fails(saker('config', '-c', file('big.yaml', big), env={'SAKER_BIG': 'x' * 100000}), 1, 'more than 64 MiB of text')


def the_table_of_keys_is_listed():
    table = done(saker('list', 'config', '--markdown')).decode()
    check('`json_output` | boolean |  | `false` | alerts | ' in table, table[:300])
    text = done(saker('list', 'config')).decode()
    check('engine.modern_ebpf.buf_size_preset (number: 1..10; default 4; read by: rings)\n' in text)


run(globals())
