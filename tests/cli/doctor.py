# SPDX-License-Identifier: Apache-2.0
"""saker doctor: what it finds here, and what it says when something is missing."""
import json
import os
import shutil
import subprocess

import apiserver
from tap import SAKER, SOURCE, check, equal, file, run

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
    check(by_name['cap_bpf']['fatal'] and not by_name['cap_sys_ptrace']['fatal'])
    equal(len(by_name['cap_bpf']['blind_rules']), all_of_it['rules'])
    equal(by_name['cap_sys_ptrace']['blind_rules'], [])
    equal(all_of_it['programs'], [])
    check('CAP_BPF' in all_of_it['programs_error'])


def exactly_the_listed_rights_are_enough():
    before = _with_rights(*NEEDED)
    if not before or _checks()[0]:
        return
    status, _, by_name = _checks(before=before)
    for name in NEEDED | {'programs', 'rings'}:
        equal(by_name[name]['status'], 'ok')
    equal(status, 0)


def rules_are_named_that_see_less():
    before = _with_rights()
    if not before:
        return
    rules = file('weak.yaml', """
- {rule: Env, desc: d, condition: evt.type = execve and proc.env contains x, output: o, priority: INFO}
- {rule: Files, desc: d, condition: evt.type = read, output: 'o %fd.name', priority: INFO}
- {rule: Neither, desc: d, condition: evt.type = execve and proc.name = x, output: o, priority: INFO}
""")
    _, _, by_name = _checks('--rules', rules, before=before)
    equal(by_name['cap_sys_ptrace']['weak_rules'], ['Env', 'Files'])
    equal(by_name['cap_bpf']['blind_rules'], ['Env', 'Files', 'Neither'])
    text = _doctor('--rules', rules, before=before).stdout
    check('blind  3 rules: Env; Files; Neither' in text and 'weak   2 rules: Env; Files' in text, text)


def every_program_is_tried():
    status, all_of_it, _ = _checks()
    if status or not all_of_it['programs']:
        return
    programs = {p['name']: p for p in all_of_it['programs']}
    check(len(programs) > 150, len(programs))
    equal(programs['sys_openat'], {'name': 'sys_openat', 'loads': True, 'syscalls': ['openat']})
    equal(programs['on_sched_process_exit']['syscalls'], ['sched_process_exit'])
    check('getpid' in programs['sys_generic']['syscalls'])
    made = {s for p in programs.values() for s in p['syscalls']}
    check({'execve', 'connect', 'ptrace', 'signal_deliver'} < made)


def a_host_root_without_proc_is_noticed():
    status, _, by_name = _checks(env={'HOST_ROOT': '/nowhere'})
    equal((status, by_name['procfs']['status'], by_name['procfs']['fatal']), (1, 'missing', True))
    equal(by_name['pid_namespace']['status'], 'missing')


def rule_files_are_counted():
    equal(_doctor('--rules', '/nowhere').returncode, 1)
    equal(_doctor('extra').returncode, 2)


def the_kubernetes_api_server_is_asked_as_saker_run_would():
    s = apiserver.Server()
    with open(f'{SOURCE}/tests/fuzz/corpus/resource/pods-list', 'rb') as f:
        s.load('pods', f.read()[2:])
    _, _, by_name = _checks('-k', s.url, '--k8s-node', 'vm')
    equal((by_name['kubernetes']['status'], by_name['kubernetes']['found']), ('ok', f'{s.url} tells of 3 pods on vm'))
    _, _, by_name = _checks('-k', s.url, '--k8s-node', 'elsewhere')
    equal(by_name['kubernetes']['status'], 'note')
    s.answers.append(('/pods', lambda h: h.give(403, apiserver.status(403, 'Forbidden', 'pods is forbidden'))))
    _, _, by_name = _checks('-k', s.url, '--k8s-node', 'vm')
    equal((by_name['kubernetes']['status'], by_name['kubernetes']['found']),
          ('missing', f'{s.url}: HTTP status 403: pods is forbidden'))
    _, _, by_name = _checks('-k', s.url, env={'NODE_NAME': ''})
    check('name of this node' in by_name['kubernetes']['found'])


run(globals())
