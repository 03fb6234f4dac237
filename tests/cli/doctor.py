# SPDX-License-Identifier: Apache-2.0
"""saker doctor: what it finds here, and what it says when something is missing."""
import errno
import json
import os
import shutil
import socket
import subprocess
import threading

import apiserver
from forbid import forbid, possible
from simdocker import Docker
from tap import SAKER, SOURCE, TMP, check, equal, fails, file, run, skip

NEEDED = {'cap_bpf', 'cap_perfmon', 'cap_sys_ptrace', 'cap_dac_read_search'}


NO_LEAKS = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'}


def _doctor(*args, before=(), env=None, **more):
    return subprocess.run([*before, SAKER, 'doctor', *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **(env or {})}, text=True, timeout=120, **more)


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


def without_btf_it_says_what_that_costs():
    if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
        skip('needs root and a kernel with BTF')
    before = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh']
    status, all_of_it, by_name = _checks(before=before)
    equal((status, all_of_it['usable'], by_name['btf']['status']), (1, False, 'missing'))
    equal((by_name['btf']['costs'], len(by_name['btf']['blind_rules'])), ('no event can be watched', all_of_it['rules']))
    fails(subprocess.run([*before, SAKER, 'run', '-d', '1'], capture_output=True, timeout=120), 1, 'CONFIG_DEBUG_INFO_BTF')


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


VERSION = b'{"Version":"20.10.24","ApiVersion":"1.41"}'


def _runtimes(*places, rules=None, **kwargs):
    """By path, of those that are named."""
    args = [x for p in places for x in ('--runtime-socket', p)] + (['--rules', rules] if rules else [])
    _, all_of_it, _ = _checks(*args, **kwargs)
    return {r['path']: r for r in all_of_it['runtimes']}


def _path(name):
    return os.path.join(TMP, name)


def _listening(name, backlog=8):
    s = socket.socket(socket.AF_UNIX)
    s.bind(_path(name))
    if backlog is not None:
        s.listen(backlog)
    return s


def sockets_of_runtimes_are_asked_and_what_is_wrong_is_told():
    good = Docker({'/version': VERSION})
    old, liar = Docker(), Docker({'/containers/json': b'<html>', '/version': VERSION})
    os.symlink(good.path, _path('link'))
    os.symlink('nowhere', _path('dangling'))
    _listening('dead', None).close()
    hangs = _listening('hangs')
    places = [good.path, old.path, liar.path, *map(_path, ('dangling', 'dead', 'hangs', 'absent')), file('plain')]
    found = _runtimes(*(f'docker={p}' for p in places), f'podman={_path("link")}', f'cri={good.path}')
    hangs.close()
    r = found[good.path]  # the later of the two, which is no CRI
    equal((r['kind'], r['status']), ('cri', 'missing'))
    check('if it is one of the kind cri' in r['mend'], r)
    equal(found[old.path]['found'], 'tells of 1 containers')
    equal((found[liar.path]['status'], found[liar.path]['found']),
          ('missing', 'Docker 20.10.24 (API 1.41), does not list its containers: the answer makes no sense'))
    for name, text, mend in (('dangling', f'it is a link to {_path("nowhere")}; there is nothing there', 'remove the link'),
                             ('dead', 'nobody listens', 'start the runtime'), ('absent', 'there is nothing', 'name the socket'),
                             ('plain', 'it is no socket but a regular file', 'mount the folder'),
                             ('hangs', 'does not list its containers: ', "see the runtime's log")):
        r = found[_path(name)]
        equal(r['status'], 'missing', r)
        check(r['found'].startswith(text) and mend in r['mend'], r)
        check('of its containers only ids are known' in r['costs'], r)


def a_runtime_that_answers_is_fine():
    d = Docker({'/version': VERSION})
    equal(_runtimes(f'docker={d.path}')[d.path],
          {'kind': 'docker', 'status': 'ok', 'path': d.path, 'found': 'Docker 20.10.24 (API 1.41), tells of 1 containers',
           'for': 'names, images, labels and pods of containers', 'version': 'Docker 20.10.24 (API 1.41)', 'containers': 1})
    check(f'ok       docker               {d.path}: Docker 20.10.24 (API 1.41), tells of 1 containers'
          in _doctor('--runtime-socket', f'docker={d.path}').stdout)
    equal(_doctor('--runtime-socket', 'nonsense').returncode, 2)


def all_are_asked_at_the_same_time():
    """Each is asked two things, and none answers before all have been asked both."""
    together = threading.Barrier(4, timeout=60)

    def when_all_ask(answer):
        def give(h):
            together.wait()
            h.give(200, answer)
        return give

    each = [Docker({'/version': when_all_ask(VERSION), '/containers/json': when_all_ask(b'[]')}) for _ in range(2)]
    found = _runtimes(*(f'docker={d.path}' for d in each))
    for d in each:
        equal(found[d.path]['found'], 'Docker 20.10.24 (API 1.41), tells of 0 containers')


def what_hangs_is_waited_for_only_once():
    """When the first connection is given up, all have been there: the time is that of one."""
    asked, ends = [], []

    def hang(h):
        asked.append(h.path)
        h.connection.recv(1)
        ends.append(len(asked))

    each = [Docker({'/version': hang, '/containers/json': hang}) for _ in range(3)]
    found = _runtimes(*(f'docker={d.path}' for d in each))
    for d in each:
        equal((found[d.path]['status'], 'version' in found[d.path]), ('missing', False), found)
        check(found[d.path]['found'].startswith('does not list its containers: '), found)
    check(ends and min(ends) >= 6, (asked, ends))


def who_may_not_open_a_socket_is_told_why_and_what_to_change():
    if os.geteuid() or not shutil.which('setpriv'):
        skip('needs root and setpriv')
    rules = file('metadata.yaml', """
- {rule: Decides, desc: d, condition: evt.type = execve and container.image.repository = x, output: o, priority: INFO}
- {rule: Prints, desc: d, condition: evt.type = execve and container.id != host, output: 'o %container.name', priority: INFO}
""")
    os.chmod(rules, 0o644)
    group, owner = _listening('group'), _listening('owner')
    os.chown(_path('group'), 0, 4321)
    os.chmod(_path('group'), 0o660)
    os.chown(_path('owner'), 65534, 65534)
    os.chmod(_path('owner'), 0o600)
    nobody = ['setpriv', '--reuid=4322', '--regid=4322', '--clear-groups', '--bounding-set=-all']
    os.chmod(TMP, 0o755)
    r = _runtimes(f'docker={_path("group")}', before=nobody, rules=rules)[_path('group')]
    equal(r['found'], 'permission denied: it belongs to user 0 and group 4321 with mode 0660, and this is user 4322')
    check('SupplementaryGroups=4321' in r['mend'], r)
    equal((r['weak_rules'], r['mute_rules']), (['Decides'], ['Prints']))
    os.chmod(TMP, 0o700)
    try:
        with open(rules) as f:
            r = subprocess.run([*nobody, SAKER, 'doctor', '--json', '--rules', '-', '--runtime-socket', f'docker={_path("group")}'],
                               stdin=f, capture_output=True, text=True)
        r, = [x for x in json.loads(r.stdout)['runtimes'] if x['path'] == _path('group')]
        equal(r['found'], f'permission denied: user 4322 may not search {TMP}')
        check(f'setfacl -m u:4322:x {TMP}' in r['mend'], r)
    finally:
        os.chmod(TMP, 0o755)
    before = _with_rights(*NEEDED)
    r = _runtimes(f'podman={_path("owner")}', before=before)[_path('owner')]
    equal(r['found'], 'permission denied: it belongs to user 65534 and group 65534 with mode 0600, and this is user 0')
    check(f'setfacl -m u:0:rw {_path("owner")}; or start with CAP_DAC_OVERRIDE' in r['mend'], r)
    group.close()
    owner.close()


def a_filter_of_system_calls_is_told_of():
    if not possible():
        skip('the filter knows one architecture')
    d = Docker({'/version': VERSION})
    for calls, error in ((('socket', 'socketpair'), errno.EACCES), (('socket', 'socketpair'), errno.EPERM), (('connect',), errno.EPERM)):
        r = _runtimes(f'docker={d.path}', preexec_fn=forbid(*calls, error=error))[d.path]
        equal((r['status'], r['found'], r['mend']), ('missing', 'permission denied by the seccomp filter of this process',
                                                     'allow socket() and connect() in that filter'), calls)


def a_socket_of_another_user_is_opened_by_a_helper():
    if os.geteuid():
        skip('needs root')
    d = Docker({'/version': VERSION})
    os.chown(d.path, 65534, 65534)
    os.chmod(d.path, 0o600)
    equal(_runtimes(f'docker={d.path}')[d.path]['found'], 'Docker 20.10.24 (API 1.41), tells of 1 containers')
    _listening('theirs', None).close()
    os.chown(_path('theirs'), 65534, 65534)
    os.chmod(_path('theirs'), 0o600)
    equal(_runtimes(f'docker={_path("theirs")}')[_path('theirs')]['found'], 'nobody listens')


def one_harmless_thing_is_done_and_leaves_nothing():
    def left():
        return {os.path.join(d, x) for d in ('/tmp', '/dev/shm', '/var/log') for x in os.listdir(d) if 'doctor-test' in x}
    for act in ('nothing', 'memory', 'shm', 'hidden', 'pose', 'link', 'setuid', 'detour', 'trace'):
        # One act traces, and is traced by nobody else then: LeakSanitizer would be.
        p = _doctor('--perform', act, '--mark', 'doctor-test', env=NO_LEAKS)
        equal((p.returncode, p.stdout, p.stderr), (0, '', ''), act)
        equal(left(), set(), act)
    for args in (['--perform', 'nosuch'], ['--perform', 'nothing', '--mark', '../x'], ['--container', 'x'],
                 ['--exercise', '--rules', '-']):
        equal(_doctor(*args).returncode, 2, args)


run(globals())
