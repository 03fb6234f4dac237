# SPDX-License-Identifier: Apache-2.0
"""Saker in a container, as deploy/ has it: the machine below HOST_ROOT, four capabilities, a root that cannot be written to,
deploy/seccomp.json; by the commands in deploy/run, and as the pod that deploy/kubernetes/saker.yaml describes."""
import atexit
import json
import os
import re
import subprocess
import sys
import time

import real
from ofhost import popen
from ownimage import CAPABILITIES, IMAGE, OF_ROOT, make
from tap import PATIENCE, SAKER, SOURCE, check, equal

try:
    import yaml
except ImportError as e:
    print(f'1..0 # SKIP needs {e.name}')
    sys.exit(0)

# What reading files again needs.
KEPT = sum(1 << CAPABILITIES[name] for name in ('DAC_READ_SEARCH', 'SYS_PTRACE', 'BPF', 'PERFMON'))
# Where CAP_SYS_ADMIN stood for the latter two, it is given up.
LESS = sum(1 << CAPABILITIES[name] for name in ('DAC_READ_SEARCH', 'SYS_PTRACE'))
SYS_ADMIN = 1 << 21
TRACEFS = '/sys/kernel/tracing'
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


def _image():
    tar = f'{real.STATE}/image/saker.tar'
    for name in (OF_ROOT, IMAGE):
        make(name, tar, SAKER, f'{SOURCE}/rules/saker_rules.yaml', f'{real.STATE}/image/saker')
        real.docker('load', '-qi', tar)
        real.podman('load', '-qi', tar)
    for namespace in ('k8s.io', 'default'):
        real.sh('ctr', '-a', real.CRI, '-n', namespace, 'image', 'import', tar)
    _ctr('image', 'import', f'{real.STATE}/image/busybox.tar')
    if not os.path.exists(f'{TRACEFS}/events'):  # where systemd is, it is
        real.sh('mount', '-t', 'tracefs', 'tracefs', TRACEFS)
        atexit.register(real.sh, 'umount', TRACEFS)


# ---- one Saker in a container ----

class _Watcher:
    """logs: what it has written so far; pid: on the machine; end: away with it."""

    def __init__(self, logs, pid, end):
        self.logs, self.end = logs, end
        self.until('kernel programs and', 'it does not watch')
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

    def alert(self, mark, act=None):
        line = self.until(mark, 'no alert', act)
        return json.loads(line[line.index('{'):])['output_fields']

    def watching(self):
        """In a container the first process only looks after the one that watches."""
        with open(f'/proc/{self.pid}/task/{self.pid}/children') as f:
            children = f.read().split()
        with open(f'/proc/{self.pid}/status') as f:
            is_first = re.search(r'^NSpid:.*\t1$', f.read(), re.M)
        return int(children[0]) if is_first else self.pid

    def status(self):
        with open(f'/proc/{self.watching()}/status') as f:
            return dict(line.rstrip('\n').split(':\t', 1) for line in f)


def _rules():
    path = f'{real.STATE}/deployed.yaml'
    with open(path, 'w') as f:
        f.write(RULES)
    return path


def _options():
    return ['run', '--json', '-r', '/etc/deployed.yaml', '--metadata-deadline', '5000']


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


def _contained(recipe, image, run, socket, *more):
    """One of deploy/run as it is; run: the runtime's command, which is what that calls docker or podman."""
    name, kind = f'deployed-{next(_n)}', run.__name__
    podman = f'{real.STATE}/podman/pm'
    env = {**real.ENV, 'SOCKET': socket, 'PODMAN': podman}
    if kind == 'podman':
        env['PATH'] = f'{_podman_for_docker(podman)}:{env["PATH"]}'
    p = subprocess.run([f'{SOURCE}/deploy/run/{recipe}', '--name', name, '--restart', 'no', '-v',
                        f'{_rules()}:/etc/deployed.yaml:ro', *more, image, *_options(), '--runtime-socket', f'{kind}={socket}'],
                       env=env, capture_output=True, text=True, timeout=60 * PATIENCE)
    equal(p.returncode, 0, p.stderr)

    def logs():
        p = subprocess.run(['docker' if kind == 'docker' else podman, 'logs', name], env=real.ENV, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=60 * PATIENCE)
        return p.stdout
    return _Watcher(logs, lambda: int(run('inspect', '-f', '{{.State.Pid}}', name)), lambda: run('rm', '-f', name))


def _podman_for_docker(podman):
    """A folder with a docker that is podman: it takes the same options."""
    folder = f'{real.STATE}/as-docker'
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(f'{folder}/docker'):
        os.symlink(podman, f'{folder}/docker')
    return folder


def _ctr(*args):
    return real.sh('ctr', '-a', real.CRI, *args)


def _contained_by_ctr():
    """deploy/run/ctr as it is."""
    name = f'deployed-{next(_n)}'
    with open(f'{real.STATE}/{name}', 'w') as out:
        p = subprocess.Popen([f'{SOURCE}/deploy/run/ctr', '--mount', f'type=bind,src={_rules()},dst=/etc/deployed.yaml,options=bind:ro',
                              IMAGE, name, '/usr/local/bin/saker', *_options(), '--runtime-socket', f'containerd={real.CRI}'],
                             env={**real.ENV, 'SOCKET': real.CRI}, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def logs():
        with open(out.name) as f:
            return f.read()

    def end():
        subprocess.run(['ctr', '-a', real.CRI, 'task', 'kill', '-s', 'TERM', name], timeout=60 * PATIENCE)
        p.wait(60 * PATIENCE)
    return _Watcher(logs, lambda: int(re.search(rf'^{name} +(\d+)', _ctr('task', 'ls'), re.M)[1]), end)


# ---- what each must know ----

def _knows_processes_of_the_machine(w):
    """Also those that were there before, like this one; ids and names as the machine has them."""
    mark = f'saker-deployed-{next(_n)}'
    pids = []

    def act():
        p = popen(['/bin/true', mark], 65534)
        pids.append(p.pid)
        p.wait()
    a = w.alert(mark, act)
    check(a['proc.pid'] in pids, a, pids)
    equal(a['user.name'], 'nobody')
    equal(a['proc.pname'], open('/proc/self/comm').read().strip())
    equal(a['proc.pexepath'], os.path.realpath('/proc/self/exe'))
    equal(a['proc.cwd'].rstrip('/'), os.getcwd().rstrip('/'))
    equal(a['container.id'], 'host')


FIRST_ACTS = 'echo {0} >/{0}-saker-deployed-file; /bin/cat /{0}-saker-deployed-file; /bin/true {0}; sleep 100'


def _knows_other_containers(w, run):
    mark = f'saker-deployed-{next(_n)}'
    name = f'other-{mark}'
    told = run('run', '-d', '--name', name, '--network', 'none', real.IMAGE, 'sh', '-c', FIRST_ACTS.format(mark)).strip()
    try:
        a = w.alert(f'"proc.args":"{mark}"')
        equal((a['container.id'], a['container.name'], a['container.metadata_status']), (told[:12], name, 'ready'))
        check(a['container.image'].endswith('busybox:test'), a)
        read = w.alert(f'/{mark}-saker-deployed-file')
        with open(read['fd.host_name']) as f:
            equal(f.read().strip(), mark)
    finally:
        run('rm', '-f', name)


def _knows_other_containers_of_ctr(w):
    mark = f'saker-deployed-{next(_n)}'
    _ctr('run', '-d', real.IMAGE, mark, 'sh', '-c', FIRST_ACTS.format(mark))
    try:
        a = w.alert(f'"proc.args":"{mark}"')
        equal((a['container.id'], a['container.image'], a['container.metadata_status']), (mark[:12], real.IMAGE, 'ready'))
    finally:
        _ctr('task', 'rm', '-f', mark)
        _ctr('container', 'rm', mark)


def _is_left_with_little(w, uid, bound=0):
    """bound: what else it was bound by, but does not have."""
    s = w.status()
    equal(s['Uid'].split()[1], str(uid))
    equal(int(s['CapEff'], 16), LESS if bound else KEPT)
    equal(int(s['CapBnd'], 16) & ~sum(1 << n for n in CAPABILITIES.values()), bound)
    equal((s['Seccomp'], s['NoNewPrivs']), ('2', '1'))


def _check(w, uid, others, bound=0):
    try:
        said = w.logs()
        for trouble in ('refuse', 'not seen', 'may not be asked', 'namespace', 'cannot be read'):
            check(trouble not in said, said)
        _knows_processes_of_the_machine(w)
        others(w)
        _is_left_with_little(w, uid, bound)
        check('refused' not in w.logs(), w.logs())
    finally:
        w.end()


# ---- tests ----

def docker_as_it_is_in_debian():
    """20.10, which does not know CAP_BPF."""
    _check(_contained('docker-sysadmin', OF_ROOT, real.docker, real.DOCKER), 0,
           lambda w: _knows_other_containers(w, real.docker), SYS_ADMIN)


def podman_as_root_with_four_capabilities():
    _check(_contained('podman', OF_ROOT, real.podman, real.PODMAN), 0, lambda w: _knows_other_containers(w, real.podman))


def the_recipe_for_docker_as_a_user_who_is_not_root():
    """By podman, whose socket is root's alone, so that other containers have no names."""
    w = _contained('docker', IMAGE, real.podman, real.PODMAN)
    try:
        _knows_processes_of_the_machine(w)
        _is_left_with_little(w, 65532)
    finally:
        w.end()


def containerd_as_a_user_who_is_not_root():
    _check(_contained_by_ctr(), 65532, _knows_other_containers_of_ctr)


def the_seccomp_profile_lacks_nothing():
    """The last of two is taken, in which a call that is not listed is the end."""
    _check(_contained('podman', IMAGE, real.podman, real.PODMAN, '--security-opt', f'seccomp={_strict()}'), 0,
           lambda w: _knows_other_containers(w, real.podman))


def _daemonset():
    with open(MANIFEST) as f:
        return list(yaml.safe_load_all(f))[-1]


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
    mounts = _mounts(spec, container) + [{'host_path': _rules(), 'container_path': '/etc/deployed.yaml', 'readonly': True}]
    config = {'metadata': {'name': 'saker', 'attempt': 0}, 'image': {'image': IMAGE}, 'log_path': 'saker.log', 'labels': labels,
              'args': [*container['args'], '-r', '/etc/deployed.yaml', '--metadata-deadline', '5000'], 'envs': env, 'mounts': mounts,
              'linux': {'resources': {'memory_limit_in_bytes': memory}, 'security_context': context}}
    cid = real.cri('CreateContainer', {'pod_sandbox_id': sandbox, 'config': config, 'sandbox_config': pod})['container_id']
    real.cri('StartContainer', {'container_id': cid})
    return cid, f'{logs}/saker.log', sandbox


def the_daemonset_as_a_pod():
    cid, log, sandbox = _as_a_kubelet(_daemonset())

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
        _is_left_with_little(w, 65532)
        check('refused' not in logs(), logs())
    finally:
        w.end()


real.with_runtimes(globals(), _image)
