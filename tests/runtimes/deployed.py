# SPDX-License-Identifier: Apache-2.0
"""Saker in a container, as deploy/ has it: the machine below HOST_ROOT, four capabilities, a root that cannot be written to,
deploy/seccomp.json; by docker, by podman, and as the pod that deploy/kubernetes/saker.yaml describes."""
import json
import os
import re
import shutil
import subprocess
import sys
import time

import real
from tap import PATIENCE, SAKER, SOURCE, check, equal

try:
    import yaml
    from jsonschema import Draft7Validator
except ImportError as e:
    print(f'1..0 # SKIP needs {e.name}')
    sys.exit(0)

IMAGE = 'docker.io/library/saker:test'
CAPABILITIES = {'DAC_READ_SEARCH': 2, 'SYS_PTRACE': 19, 'PERFMON': 38, 'BPF': 39}
RULES = '''
- rule: Started
  desc: programs with a mark
  condition: evt.type = execve and evt.rawres = 0 and proc.args startswith saker-deployed
  output: "%proc.args %proc.pid %user.name %proc.pname %proc.pexepath %proc.cwd %container.id %container.name %container.image
    %container.metadata_status %proc.exepath.host"
  priority: INFO
- rule: Read
  desc: a file with a mark
  condition: evt.type in (open, openat) and fd.name endswith saker-deployed-file
  output: "%fd.name %fd.host_name %container.name"
  priority: INFO
'''
SECCOMP = f'{SOURCE}/deploy/seccomp.json'
MANIFEST = f'{SOURCE}/deploy/kubernetes/saker.yaml'
_n = iter(range(1000))


# ---- the image: Saker, what it links to, its rules ----

def _libraries(program):
    return re.findall(r'(/\S+) \(0x', subprocess.run(['ldd', program], capture_output=True, text=True).stdout)


def _put(root, path, at=None):
    to = root + (at or path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    shutil.copy(path, to)


def _set_capabilities(path):
    """As `setcap cap_bpf,...+ep` does."""
    bits = sum(1 << n for n in CAPABILITIES.values())
    words = (0x02000001, bits & 0xffffffff, 0, bits >> 32, 0)
    os.setxattr(path, 'security.capability', b''.join(w.to_bytes(4, 'little') for w in words))


def _image():
    root = f'{real.STATE}/image/saker'
    known = dict(re.findall(r'^\s*(\S+) .* => (\S+)$', subprocess.run(['ldconfig', '-p'], capture_output=True, text=True).stdout,
                            re.M))
    for path in [*_libraries(SAKER), known['libcurl.so.4'], *_libraries(known['libcurl.so.4'])]:
        _put(root, path)
    _put(root, SAKER, '/usr/local/bin/saker')
    _set_capabilities(f'{root}/usr/local/bin/saker')
    _put(root, f'{SOURCE}/rules/saker_rules.yaml', '/usr/local/share/saker/rules/saker_rules.yaml')
    os.makedirs(f'{root}/host')
    tar = f'{real.STATE}/image/saker.tar'
    real.sh(sys.executable, f'{real.HERE}/image/mkimg.py', tar, IMAGE, root, '/usr/local/bin/saker')
    real.docker('load', '-qi', tar)
    real.podman('load', '-qi', tar)
    real.sh('ctr', '-a', real.CRI, '-n', 'k8s.io', 'image', 'import', tar)


# ---- one Saker in a container ----

class _Watcher:
    """logs: what it has written so far; pid: on the machine; end: away with it."""

    def __init__(self, logs, pid, end):
        self.logs, self.end, self._pid = logs, end, pid
        self.until('watching', 'it does not watch')
        self.pid = pid()

    def until(self, text, why, act=None):
        end = time.time() + 30 * PATIENCE
        while time.time() < end:
            if act:
                act()
            for line in self.logs().splitlines():
                if text in line:
                    return line
            time.sleep(0.2)
        raise AssertionError(f'{why}: {self.logs()}')

    def alert(self, mark, act):
        line = self.until(mark, 'no alert', act)
        return json.loads(line[line.index('{'):])['output_fields']

    def status(self):
        with open(f'/proc/{self.pid}/status') as f:
            return dict(line.rstrip('\n').split(':\t', 1) for line in f)


def _rules():
    path = f'{real.STATE}/deployed.yaml'
    with open(path, 'w') as f:
        f.write(RULES)
    return path


def _options(sockets):
    return ['run', '--json', '-r', f'/host{_rules()}', '--metadata-deadline', '5000', *sockets]


def _strict():
    """The profile, but that a call outside it is the end."""
    with open(SECCOMP) as f:
        profile = json.load(f)
    profile['defaultAction'] = 'SCMP_ACT_KILL_PROCESS'
    del profile['defaultErrnoRet']
    path = f'{real.STATE}/strict.json'
    with open(path, 'w') as f:
        json.dump(profile, f)
    return path


def _contained(run, *more, profile=SECCOMP):
    name = f'deployed-{next(_n)}'
    caps = [x for c in CAPABILITIES for x in ('--cap-add', c)]
    run('run', '-d', '--name', name, '--network', 'none', '--read-only', '--cap-drop', 'ALL', *caps, '--security-opt',
        f'seccomp={profile}', '-v', '/:/host:ro', '-e', 'HOST_ROOT=/host', *more, IMAGE, *_options(real.SOCKETS))

    def logs():
        p = subprocess.run([*(['docker'] if run is real.docker else [f'{real.STATE}/podman/pm']), 'logs', name], env=real.ENV,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        return p.stdout
    return _Watcher(logs, lambda: int(run('inspect', '-f', '{{.State.Pid}}', name)), lambda: run('rm', '-f', name))


# ---- what each must know ----

def _knows_processes_of_the_machine(w):
    """Also those that were there before, like this one; ids and names as the machine has them."""
    mark = f'saker-deployed-{next(_n)}'
    pids = []

    def act():
        p = subprocess.Popen(['/bin/true', mark], user=65534)
        pids.append(p.pid)
        p.wait()
    a = w.alert(mark, act)
    check(a['proc.pid'] in pids, a, pids)
    equal(a['user.name'], 'nobody')
    equal(a['proc.pname'], open('/proc/self/comm').read().strip())
    equal(a['proc.pexepath'], os.path.realpath('/proc/self/exe'))
    equal(a['proc.cwd'].rstrip('/'), os.getcwd().rstrip('/'))
    equal(a['container.id'], 'host')


def _knows_other_containers(w):
    mark = f'saker-deployed-{next(_n)}'
    name = f'other-{mark}'
    told = real.docker('run', '-d', '--name', name, '--network', 'none', 'busybox:test', 'sh', '-c',
                       f'echo {mark} >/{mark}-saker-deployed-file; /bin/cat /{mark}-saker-deployed-file; /bin/true {mark}; '
                       'sleep 100').strip()
    try:
        a = w.alert(f'"proc.args":"{mark}"', None)
        equal((a['container.id'], a['container.name'], a['container.metadata_status']), (told[:12], name, 'ready'))
        check(a['container.image'].endswith('busybox:test'), a)
        read = w.alert(f'/{mark}-saker-deployed-file', None)
        with open(read['fd.host_name']) as f:
            equal(f.read().strip(), mark)
    finally:
        real.docker('rm', '-f', name)


def _is_left_with_little(w, uid, nnp):
    s = w.status()
    equal(s['Uid'].split()[1], str(uid))
    equal(int(s['CapEff'], 16), 1 << CAPABILITIES['DAC_READ_SEARCH'] | 1 << CAPABILITIES['SYS_PTRACE'])
    equal(int(s['CapBnd'], 16) & ~sum(1 << n for n in CAPABILITIES.values()), 0)
    equal(s['Seccomp'], '2')
    equal(s['NoNewPrivs'], '1' if nnp else s['NoNewPrivs'])


def _check(w, uid=0):
    try:
        said = w.logs()
        for trouble in ('refuse', 'unknown', 'is not seen', 'may not be asked', 'namespace'):
            check(trouble not in said, said)
        _knows_processes_of_the_machine(w)
        _knows_other_containers(w)
        _is_left_with_little(w, uid, True)
        check('refused' not in w.logs(), w.logs())
    finally:
        w.end()


# ---- tests ----

def docker_with_pids_of_its_own():
    _check(_contained(real.docker, '--security-opt', 'no-new-privileges'))


def docker_with_the_pids_of_the_machine():
    _check(_contained(real.docker, '--security-opt', 'no-new-privileges', '--pid', 'host'))


def podman_with_pids_of_its_own():
    _check(_contained(real.podman, '--security-opt', 'no-new-privileges'))


def a_user_who_is_not_root():
    """By the capabilities of the file."""
    _check(_contained(real.docker, '--user', '65532:0'), 65532)


def the_seccomp_profile_lacks_nothing():
    _check(_contained(real.docker, '--security-opt', 'no-new-privileges', profile=_strict()))


def without_the_machines_proc_nobody_is_taken_for_somebody_else():
    w = _contained(real.docker, '-e', 'HOST_ROOT=', '-v', f'{_rules()}:/host{_rules()}:ro')
    try:
        w.until('/proc is of another pid namespace', 'nothing is said')
        mark = f'saker-deployed-{next(_n)}'
        a = w.alert(mark, lambda: subprocess.run(['/bin/true', mark], check=True))
        check(a['proc.pexepath'] in (None, os.path.realpath('/proc/self/exe')), a)
    finally:
        w.end()


def _documents():
    with open(MANIFEST) as f:
        return list(yaml.safe_load_all(f))


def kubernetes_takes_the_manifest():
    with open(f'{SOURCE}/tests/deploy/kubernetes.json') as f:
        schema = json.load(f)
    documents = _documents()
    equal([d['kind'] for d in documents], ['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'DaemonSet'])
    for d in documents:
        checker = Draft7Validator({**schema['kinds'][d['kind']], 'definitions': schema['definitions']})
        equal([e.message for e in checker.iter_errors(d)], [])
        wrong = json.loads(json.dumps(d))
        wrong['metadata']['labls'] = {}
        check(list(checker.iter_errors(wrong)), 'it takes anything')


def _security_context(pod, container):
    """What a kubelet makes of these two."""
    c = container['securityContext']
    return {'run_as_user': {'value': pod['runAsUser']}, 'run_as_group': {'value': pod['runAsGroup']},
            'supplemental_groups': pod['supplementalGroups'], 'readonly_rootfs': c['readOnlyRootFilesystem'],
            'privileged': c['privileged'], 'no_new_privs': not c['allowPrivilegeEscalation'],
            'capabilities': {'drop_capabilities': c['capabilities']['drop'], 'add_capabilities': c['capabilities']['add']},
            'seccomp': {'profile_type': 'Localhost', 'localhost_ref': SECCOMP},
            'namespace_options': {'network': 'POD', 'pid': 'CONTAINER', 'ipc': 'POD'},
            'masked_paths': ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list',
                             '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware'],
            'readonly_paths': ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']}


def _mounts(spec, container):
    """Of the machine; containerd's folder is where the tests have it."""
    volumes = {v['name']: v['hostPath']['path'] for v in spec['volumes']}
    instead = {'/run/containerd': os.path.dirname(real.CRI)}
    return [{'host_path': instead.get(volumes[m['name']], volumes[m['name']]), 'container_path': m['mountPath'],
             'readonly': m['readOnly']} for m in container['volumeMounts']]


def _as_a_kubelet(daemonset):
    """The first container of its pod, run; its id, its log, its sandbox."""
    spec = daemonset['spec']['template']['spec']
    container = spec['containers'][0]
    check('hostPID' not in spec and 'hostNetwork' not in spec)
    context = _security_context(spec['securityContext'], container)
    logs = f'{real.STATE}/logs/deployed'
    os.makedirs(logs, exist_ok=True)
    labels = {'io.kubernetes.pod.name': 'saker-x', 'io.kubernetes.pod.namespace': 'saker', 'io.kubernetes.pod.uid': 'u-1'}
    pod = {'metadata': {'name': 'saker-x', 'uid': 'u-1', 'namespace': 'saker', 'attempt': 0}, 'hostname': 'saker-x',
           'log_directory': logs, 'labels': labels,
           'linux': {'cgroup_parent': '/kubepods/burstable/podu-1', 'security_context': {'namespace_options': context[
               'namespace_options']}}}
    sandbox = real.cri('RunPodSandbox', {'config': pod})['pod_sandbox_id']
    memory = int(re.match(r'(\d+)Mi$', container['resources']['limits']['memory'])[1]) << 20
    env = [{'key': e['name'], 'value': e.get('value', 'node-1')} for e in container['env'] if e['name'] != 'NODE_NAME']
    mounts = _mounts(spec, container) + [{'host_path': _rules(), 'container_path': f'/host{_rules()}', 'readonly': True}]
    config = {'metadata': {'name': 'saker', 'attempt': 0}, 'image': {'image': IMAGE}, 'log_path': 'saker.log', 'labels': labels,
              'args': [*container['args'], '-r', f'/host{_rules()}', '--metadata-deadline', '5000'], 'envs': env,
              'mounts': mounts,
              'linux': {'resources': {'memory_limit_in_bytes': memory}, 'security_context': context}}
    cid = real.cri('CreateContainer', {'pod_sandbox_id': sandbox, 'config': config, 'sandbox_config': pod})['container_id']
    real.cri('StartContainer', {'container_id': cid})
    return cid, f'{logs}/saker.log', sandbox


def the_daemonset_as_a_pod():
    daemonset = _documents()[-1]
    cid, log, sandbox = _as_a_kubelet(daemonset)

    def logs():
        with open(log) as f:
            return f.read()

    def end():
        for method in ('StopPodSandbox', 'RemovePodSandbox'):
            real.cri(method, {'pod_sandbox_id': sandbox})

    def pid():
        return json.loads(real.cri('ContainerStatus', {'container_id': cid, 'verbose': True})['info']['info'])['pid']
    w = _Watcher(logs, pid, end)
    try:
        _knows_processes_of_the_machine(w)
        other, inside = real.pod(f'deployed-{next(_n)}')
        mark = f'saker-deployed-{next(_n)}'
        a = w.alert(mark, lambda: real.cri('ExecSync', {'container_id': inside, 'cmd': ['/bin/true', mark], 'timeout': 10}))
        equal((a['container.id'], a['container.name'], a['container.metadata_status']), (inside[:12], 'app', 'ready'))
        _is_left_with_little(w, 65532, True)
        check('refused' not in logs(), logs())
    finally:
        w.end()


real.with_runtimes(globals(), _image)
