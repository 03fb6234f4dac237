# SPDX-License-Identifier: Apache-2.0
import json

from tap import check, done, equal, fails, file, run, saker

GOOD = '''
- list: l
  items: [a]
- rule: r
  desc: d
  condition: evt.type = open and proc.name in (l)
  output: x
  priority: INFO
'''


def _verdict(*paths, status=0):
    r = saker('check', '--json', *paths)
    equal(r.returncode, status, r.stdout, r.stderr)
    return json.loads(r.stdout)['falco_load_results']


def right_rules_are_ok():
    path = file('good.yaml', GOOD)
    check(path.encode() in done(saker('check', path)))
    equal([v['successful'] for v in _verdict(path)], [True])


def wrong_rules_fail_with_place_and_caret():
    path = file('bad.yaml', GOOD.replace('proc.name', 'proc.nosuch'))
    r = saker('check', path)
    equal(r.returncode, 1)
    text = (r.stdout + r.stderr).decode()
    for part in (path, 'proc.nosuch', '^'):
        check(part in text, part, text)


def json_says_which_codes():
    v, = _verdict(file('bad.yaml', GOOD.replace('proc.name', 'proc.nosuch')), status=1)
    equal((v['successful'], [e['code'] for e in v['errors']]), (False, ['LOAD_ERR_COMPILE_CONDITION']))


def doubts_about_the_shape_have_place_and_caret_too():
    path = file('shape.yaml', GOOD.replace('INFO', 'info') + '  prio: x\n')
    text = done(saker('check', path)).decode()
    for part in (f"{path}:8:13: schema: 'priority' should be", '\n      priority: info\n                ^\n',
                 f"{path}:9:3: schema: unknown key 'prio'\n      prio: x\n      ^\n"):
        check(part in text, part, text)
    v, = _verdict(path)
    equal([w.split(': ')[0] for w in v['schema_warnings']], ['8:13', '9:3'])


def an_unknown_field_is_told_with_what_may_have_been_meant():
    for bad in (GOOD.replace('proc.name', 'proc.nmae'), GOOD.replace('output: x', 'output: a %proc.nmae b')):
        text = saker('check', file('bad.yaml', bad)).stdout.decode()
        check("did you mean 'proc.name'?" in text, text)


def an_error_in_an_output_quotes_what_the_rule_says_and_no_more():
    text = saker('check', file('bad.yaml', GOOD.replace('output: x', 'output: "%nosuch.thing"'))).stdout.decode()
    check("(at '%nosuch.thing')" in text and 'container' not in text, text)


def what_is_missing_at_the_end_of_a_condition_is_shown_there():
    path = file('bad.yaml', GOOD.replace('proc.name in (l)', 'proc.name ='))
    text = saker('check', path).stdout.decode()
    check(f'{path}:6:45: error: ' in text, text)


def several_files_build_on_one_another():
    one = file('one.yaml', GOOD)
    two = file('two.yaml', '- rule: r\n  condition: and fd.num = 3\n  override: {condition: append}\n')
    equal([v['successful'] for v in _verdict(one, two)], [True, True])
    equal(_verdict(two, status=1)[0]['successful'], False)


def warnings_do_not_fail():
    v, = _verdict(file('unused.yaml', GOOD.replace(' and proc.name in (l)', '')))
    equal((v['successful'], [w['code'] for w in v['warnings']]), (True, ['LOAD_UNUSED_LIST']))


def an_unknown_macro_is_shown_where_it_is_used():
    path = file('rules.yaml', '- rule: a nosuch rule\n  desc: d\n  output: x\n  priority: INFO\n  condition: fd.num=1 and nosuch\n')
    r = saker('check', path)
    check(f'{path}:5:27: error: Undefined macro'.encode() in r.stdout + r.stderr, r.stdout, r.stderr)


def an_unmet_plugin_version_has_a_verdict():
    path = file('plugins.yaml', '- required_plugin_versions: [{name: nosuch, version: 1.2.3}]\n' + GOOD)
    v, = _verdict(path, status=1)
    equal((v['successful'], [e['code'] for e in v['errors']]), (False, ['LOAD_ERR_VALIDATE']))
    check(b'must load one of: nosuch (>= 1.2.3)' in saker('check', path).stdout)


def a_missing_file_is_an_error():
    r = saker('check', '/nonexistent.yaml')
    equal(r.returncode, 1)
    check(b'/nonexistent.yaml' in r.stdout + r.stderr)


def the_bundled_rules_are_right_and_warn_of_nothing():
    import tap
    v, = _verdict(f'{tap.SOURCE}/rules/saker_rules.yaml')
    equal((v['successful'], v['warnings']), (True, []))


run(globals())
