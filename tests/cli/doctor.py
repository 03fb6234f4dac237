# SPDX-License-Identifier: Apache-2.0
"""saker doctor: what it finds here, and what it says when something is missing."""
import json
import os
import shutil
import subprocess

from tap import SAKER, check, equal, run

NEEDED = {'cap_bpf', 'cap_perfmon', 'cap_sys_ptrace', 'cap_dac_read_search'}


def _doctor(*args, before=(), env=None):
    return subprocess.run([*before, SAKER, 'doctor', *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **(env or {})}, text=True, timeout=120)


def _checks(*args, **kwargs):
    p = _doctor('--json', *args, **kwargs)
    return p.returncode, json.loads(p.stdout), {c['name']: c for c in json.loads(p.stdout)['checks']}


def _with_rights(*names):
    """Root with these capabilities and no others; None where that cannot be arranged."""
    if os.geteuid() or not shutil.which('setpriv'):
        return None
    return ['setpriv', '--bounding-set', ','.join(['-all', *('+' + x[4:] for x in sorted(names))])]


def every_check_says_what_it_is_for():
    status, all_of_it, by_name = _checks()
    check(NEEDED < set(by_name) and {'kernel', 'btf', 'programs', 'rings', 'cgroups', 'clock', 'procfs'} < set(by_name))
    for c in by_name.values():
        check(c['for'] and c['found'] and c['status'] in ('ok', 'note', 'missing'))
        equal('mend' in c and 'costs' in c, c['status'] == 'missing')
    equal(status, 0 if all_of_it['usable'] else 1)


def text_and_json_agree():
    _, _, by_name = _checks()
    words = {'ok': 'ok', 'note': 'note', 'missing': 'MISSING'}
    lines = [x.split() for x in _doctor().stdout.splitlines()]
    for c in by_name.values():
        check([words[c['status']], c['name']] in [x[:2] for x in lines])


def without_rights_the_machine_cannot_be_watched():
    before = _with_rights()
    if not before:
        return
    status, all_of_it, by_name = _checks(before=before)
    equal(status, 1)
    equal(all_of_it['usable'], False)
    for name in NEEDED:
        equal(by_name[name]['status'], 'missing')
        check(name.upper() in by_name[name]['mend'])
    equal(by_name['cap_bpf']['blind_events'], 'all')
    equal(by_name['cap_bpf']['blind_rules'], all_of_it['rules'])
    equal(by_name['cap_sys_ptrace']['blind_rules'], 0)


def exactly_the_listed_rights_are_enough():
    before = _with_rights(*NEEDED)
    if not before or _checks()[0]:
        return
    status, _, by_name = _checks(before=before)
    for name in NEEDED | {'programs', 'rings'}:
        equal(by_name[name]['status'], 'ok')
    equal(status, 0)


def a_host_root_without_proc_is_noticed():
    _, _, by_name = _checks(env={'HOST_ROOT': '/nowhere'})
    equal(by_name['procfs']['status'], 'missing')
    equal(by_name['pid_namespace']['status'], 'missing')


def rule_files_are_counted():
    equal(_doctor('--rules', '/nowhere').returncode, 1)
    equal(_doctor('extra').returncode, 2)


run(globals())
