# SPDX-License-Identifier: Apache-2.0
"""What saker says of executables in containers of each runtime, of those that were there before it and of new ones: in the upper or
a lower layer, in memory, writable; and that rules on that fire for what was dropped or is only in memory, and not for what runtimes
do themselves."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import real
from tap import SAKER, check, equal, file

sys.path.insert(0, os.path.join(real.HERE, '..', 'live'))
from hierarchies import be_of_the_host  # noqa: E402

# Shells that say who they are when they open a file, again and again.
LOOP = 'while :; do : </etc/passwd; read -t 1 x <>/pipe; done'
SAID = '''
- rule: Said
  desc: a shell says who it is
  condition: evt.type in (open, openat) and fd.name = /etc/passwd and proc.cmdline contains " say-" and not proc.cmdline contains " app "
  output: "%proc.cmdline %proc.is_exe_upper_layer %proc.is_exe_lower_layer %proc.is_exe_from_memfd %proc.is_exe_writable"
  priority: INFO
- rule: Any from memory
  desc: runtimes too
  condition: evt.type in (execve, execveat) and evt.rawres = 0 and proc.is_exe_from_memfd = true
  output: "%proc.cmdline %proc.name %proc.exepath %proc.pname %proc.pexepath %container.id"
  priority: INFO
'''
# What the stock rules ask, and the names that users append to.
STOCK = '''
- list: known_drop_and_execute_containers
  items: []
- rule: Dropped
  desc: not of the image
  condition: >
    evt.type in (execve, execveat) and evt.rawres = 0 and container.id != host and proc.is_exe_upper_layer = true
    and not container.image.repository in (known_drop_and_execute_containers)
  output: "%proc.cmdline %proc.name %proc.exepath %proc.pname %proc.pexepath %container.id"
  priority: CRITICAL
- list: known_memfd_execution_binaries
  items: [runc]
- macro: known_memfd_execution_processes
  condition: (proc.name in (known_memfd_execution_binaries) or proc.pname in (known_memfd_execution_binaries))
- rule: Fileless
  desc: only in memory
  condition: >
    evt.type in (execve, execveat) and evt.rawres = 0 and proc.is_exe_from_memfd = true and not known_memfd_execution_processes
  output: "%proc.cmdline %proc.name %proc.exepath %proc.pname %proc.pexepath %container.id"
  priority: CRITICAL
'''
WORKAROUND = '''
- macro: known_memfd_execution_processes
  condition: or proc.exepath startswith "memfd:runc_cloned" or proc.exepath startswith "memfd:crun"
  override: {condition: append}
- list: known_memfd_execution_binaries
  items: [crun]
  override: {items: append}
'''
# What runs, and what is said of it: in the upper layer, a lower one, memory; writable.
ROOTS = {
    'lower': ('/bin/busybox sh', 'false true false true'),
    'upper': ('/busybox-dropped sh', 'true false false true'),
    'memory': ('/memory /bin/busybox sh', 'false false true true'),
}
USERS = {
    'ulower': ('/bin/busybox sh', 'false true false false'),
    'uupper': ('/busybox-dropped sh', 'true false false false'),
    'uown': ('/busybox-own sh', 'true false false true'),
    'umemory': ('/memory /bin/busybox sh', 'false false true true'),
}
BOUND = {'bound': ('/tools/busybox sh', 'false false false false')}  # nobody may write through that mount
FRESH = {kind for kind in (*ROOTS, *USERS) if kind not in ('lower', 'ulower')}  # not of the image
SHARED = f'{real.STATE}/tools'
_said, _fired, _runtimes, _bundles = {}, {}, {}, {}


def _build():
    os.makedirs(SHARED)
    shutil.copy('/bin/busybox', SHARED)
    subprocess.run(['gcc', '-O2', '-static', '-o', f'{SHARED}/memory', f'{real.HERE}/memory.c'], check=True)


def _docker(name, *options):
    real.docker('run', '-d', '--name', name, '--network', 'none', *options, '-v', f'{SHARED}:/tools:ro', 'busybox:test', 'sleep', '1000')
    pid = real.docker('inspect', '-f', '{{.State.Pid}}', name).strip()
    return pid, lambda line: real.docker('exec', name, 'sh', '-c', line)


def _podman(name, *options):
    real.podman(*options, 'run', '-d', '--name', name, '--network', 'none', '-v', f'{SHARED}:/tools:ro', real.IMAGE, 'sleep', '1000')
    pid = real.podman('inspect', '-f', '{{.State.Pid}}', name).strip()
    return pid, lambda line: real.podman(*options, 'exec', name, 'sh', '-c', line)


def _pod(name):
    _, container = real.pod(name)
    info = real.cri('ContainerStatus', {'container_id': container, 'verbose': True})['info']['info']
    return str(json.loads(info)['pid']), \
        lambda line: real.cri('ExecSync', {'container_id': container, 'cmd': ['sh', '-c', line], 'timeout': 20})


def _runc(name):
    bundle = _bundles[name] = real.Bundle(f'{real.STATE}/bundle', '/docker/' + 'ab' * 32, ['sleep', '1000'])
    for held in bundle.spec['process']['capabilities'].values():
        held.extend(['CAP_SETUID', 'CAP_SETGID', 'CAP_CHOWN'])
    bundle.spec['root']['readonly'] = False
    bundle.spec['mounts'].append({'destination': '/tools', 'type': 'bind', 'source': SHARED, 'options': ['bind', 'ro']})
    return bundle.run(name), lambda line: bundle.execute(name, line)


MAKE = {
    'docker': lambda: _docker('exe-docker'),
    'dockercrun': lambda: _docker('exe-dockercrun', '--runtime', 'crun'),
    'podman': lambda: _podman('exe-podman'),
    'podmancrun': lambda: _podman('exe-podmancrun', '--runtime', 'crun'),
    'sealed': lambda: _docker('exe-sealed', '--runtime', 'sealed'),
    'sealedcrun': lambda: _docker('exe-sealedcrun', '--runtime', 'sealedcrun'),
    'pod': lambda: _pod('exe-pod'),
    'runc': lambda: _runc('exe-runc'),
}


def _kinds(who, age):
    """Of each shell its command line, without what it runs, what is said of it, and whether it is a user's."""
    for kinds, is_user in ((ROOTS, False), (USERS, True), ({} if who == 'pod' else BOUND, False)):
        for kind, (program, want) in kinds.items():
            yield kind, f'say-{who}-{kind}-{age}', program, want, is_user


def _say(who, age):
    lines = []
    for _, mark, program, _, is_user in _kinds(who, age):
        line = f"{program} -c '{LOOP}' {mark}"
        if is_user:
            line = f'su -s /bin/sh app -c "exec {line}"'
        lines.append(f'{line} >/dev/null 2>&1 </dev/null &')
    _runtimes[who][1]('\n'.join(lines))


def _begin(who):
    pid, execute = MAKE[who]()
    _runtimes[who] = (pid, execute)
    shutil.copy(f'{SHARED}/memory', f'/proc/{pid}/root/memory')
    execute('cp /bin/busybox /busybox-dropped; cp /bin/busybox /busybox-own; chown app /busybox-own; mkfifo /pipe; chmod 666 /pipe')


def _watch(name, *args):
    said, out = open(file(f'{name}.said'), 'wb'), open(file(f'{name}.alerts'), 'wb')
    p = subprocess.Popen([SAKER, 'run', '--json', '--all-matches', *args, *real.SOCKETS], stdout=out, stderr=said, env=real.ENV)
    p.files = said.name, out.name
    return p


def _wait(p):
    end = time.time() + 60
    while time.time() < end and b'watching' not in open(p.files[0], 'rb').read():
        time.sleep(0.1)


def _stop(p):
    p.send_signal(signal.SIGINT)
    equal(p.wait(timeout=60), 0)
    return [json.loads(line) for line in open(p.files[1], errors='replace')]


def saker_watches_shells_in_containers_of_each_runtime():
    _build()
    for who in MAKE:
        _begin(who)
        _say(who, 'old')
    own = _watch('own', '-r', file('rules.yaml', SAID + STOCK), '-r', file('more.yaml', WORKAROUND), '--no-suggested-output')
    bundled = _watch('bundled')
    try:
        _wait(own)
        _wait(bundled)
        time.sleep(1)
        for who in MAKE:
            _say(who, 'new')
        time.sleep(4)
    finally:
        alerts = _stop(own)
        _fired['bundled'] = [(a['rule'], a['output']) for a in _stop(bundled)]
        for name, bundle in _bundles.items():
            bundle.end(name)
    for a in alerts:
        if a['rule'] == 'Said':
            mark, said = re.search(r'(say-\S+) (\S+ \S+ \S+ \S+)$', a['output']).groups()
            _said.setdefault(mark, set()).add(said)
        else:
            _fired.setdefault(a['rule'], []).append(a['output'])


def _as_it_is(age):
    for who in MAKE:
        for _, mark, _, want, _ in _kinds(who, age):
            equal(_said.get(mark), {want}, mark)


def executables_that_were_there_before_are_what_they_are():
    _as_it_is('old')


def new_executables_are_what_they_are():
    _as_it_is('new')


RUNTIMES = re.compile('runc|crun|conmon|containerd|dockerd|podman|sealed')


def _marks(outputs):
    """Whom alerts are of; what others than runtimes do on this machine is their business."""
    found = {m[0] if (m := re.search(r'say-\S+', output)) else output for output in outputs}
    return {x for x in found if x.startswith('say-') or RUNTIMES.search(x)}


def _new(which):
    return {mark for who in MAKE for kind, mark, _, _, _ in _kinds(who, 'new') if kind in which}


def what_was_dropped_is_told():
    got = _marks(_fired.get('Dropped', []))
    equal(got, _new(FRESH), got ^ _new(FRESH), _fired.get('Dropped'))


def what_is_only_in_memory_is_told_and_runtimes_are_not():
    got = _marks(_fired.get('Fileless', []))
    equal(got, _new({'memory', 'umemory'}), got, _fired.get('Fileless'))


def bundled_rules_tell_the_same_without_being_told_anything():
    names = {'New Binary Executed in Container': FRESH, 'Program Executed from Memory': {'memory', 'umemory'}}
    for rule, kinds in names.items():
        got = _marks(output for name, output in _fired['bundled'] if name == rule)
        equal(got, _new(kinds), rule, got ^ _new(kinds))


def runtimes_did_run_from_memory_meanwhile():
    copies = [output for output in _fired.get('Any from memory', []) if 'say-' not in output]
    for name in ('runc', 'crun'):
        check(any(f'memfd:{name}_cloned' in x for x in copies), f'{name} made no copy of itself', copies)
        check(any(re.search(rf' \d+ memfd:{name}_cloned', x) for x in copies), f'no process of {name} has a number for its name', copies)


if not os.geteuid():
    be_of_the_host()  # and so the runtimes: the bundled rules ask for that
real.with_runtimes(globals())
