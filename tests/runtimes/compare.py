# SPDX-License-Identifier: Apache-2.0
"""saker against real runtimes: every field of `saker containers` is what the runtime's own command line or an
independent client says, and alerts of `saker run` name their container."""
import json
import signal
import subprocess
import time

from real import CRI, ENV, IMAGE, SOCKETS, STATE, cri, docker, pod, podman, sh, with_runtimes
from tap import SAKER, check, equal, file

OPTIONS = ['--network', 'none', '--label', 'a=b', '--label', 'empty=', '-e', 'FOO=bar baz', '-v', '/etc/hostname:/h:ro',
           '-v', '/var:/v', '--memory', '67108864', '--cpu-shares', '512', '--cpuset-cpus', '0-1', '--user', '1000']
RULES = '''
- rule: Secret
  desc: a container's first act
  condition: evt.type in (open, openat) and fd.name = /etc/passwd and container.id != host and proc.name in (cat, busybox)
  output: secret %container.id %container.name %container.image.repository %container.image.tag %k8s.pod.name %k8s.ns.name
  priority: INFO
'''


def _containers():
    p = subprocess.run([SAKER, 'containers', '--json', '--size', *SOCKETS], env=ENV, capture_output=True, text=True, timeout=60)
    all_of_them = map(json.loads, p.stdout.splitlines())
    # A container that nobody tells of, of another test or of this machine, has no full id.
    return {c['full_id']: c for c in all_of_them if c['metadata_status'] == 'ready'}


def _seconds(text):
    return int(sh('date', '-ud', text, '+%s'))


def _same(c, i, name):
    """c: saker's; i: an inspection, of Docker or podman."""
    equal(c['name'], name)
    equal(c['labels'], i['Config']['Labels'])
    equal(c['env'], i['Config']['Env'])
    equal(c['User'], i['Config']['User'])
    # The runtime lists them in another order each time.
    equal(*(sorted((m['Source'], m['Destination'], m['Mode'], m['RW'], m['Propagation']) for m in x['Mounts'])
            for x in (c, i)))
    h = i['HostConfig']
    equal((c['privileged'], c['host_network'], c['host_pid'], c['host_ipc']),
          (h['Privileged'], h['NetworkMode'] == 'host', h['PidMode'] == 'host', h['IpcMode'] == 'host'))
    equal((c['memory_limit'], c['swap_limit'], c['cpu_quota'], c['cpu_shares']),
          (h['Memory'], h['MemorySwap'], h['CpuQuota'], h['CpuShares'] or 1024))
    equal(c['cpuset_cpu_count'], {'': 0, '0-1': 2}[h['CpusetCpus']])
    equal(c['created_time'], _seconds(i['Created']))
    equal(c['ip'], i['NetworkSettings']['IPAddress'])


def docker_says_the_same():
    ids = {n: docker('run', '-d', '--name', n, *o, 'busybox:test', 'sleep', '1000').strip()
           for n, o in (('full', OPTIONS), ('host', ['--network', 'host', '--pid', 'host', '--ipc', 'host']))}
    found = _containers()
    for name, full_id in ids.items():
        i = json.loads(docker('inspect', '--size', full_id))[0]
        image = json.loads(docker('image', 'inspect', i['Image']))[0]
        c = found[full_id]
        _same(c, i, name)
        equal((c['type'], c['id'], c['size']), (0, full_id[:12], i['SizeRw']))
        equal((c['image'], c['imageid']), (i['Config']['Image'], image['Id'].split(':')[1]))
        equal(c['imagerepo'] + ':' + c['imagetag'], image['RepoTags'][0])
    docker('rm', '-f', *ids)


def podman_says_the_same():
    ids = {n: podman('run', '-d', '--name', n, *o, IMAGE, 'sleep', '1000').strip()
           for n, o in (('full', OPTIONS), ('host', ['--network', 'host', '--pid', 'host', '--ipc', 'host']))}
    found = _containers()
    for name, full_id in ids.items():
        i = json.loads(podman('inspect', '--size', full_id))[0]
        c = found[full_id]
        _same(c, i, name)
        equal((c['type'], c['id']), (11, full_id[:12]))
        equal((c['image'], c['imageid'], c['imagedigest']), (i['ImageName'], i['Image'], i['ImageDigest']))
        equal((c['imagerepo'], c['imagetag']), tuple(IMAGE.rsplit(':', 1)))
    podman('rm', '-ft0', *ids)


def cri_says_the_same():
    for args in (['one'], ['two', '--hostnet'], ['three', '--runtime', 'nores', '--priv']):
        sandbox, container = pod(*args)
        c, s = _containers()[container], _containers()[sandbox]
        status = cri('ContainerStatus', {'container_id': container})['status']
        of_pod = cri('PodSandboxStatus', {'pod_sandbox_id': sandbox})['status']
        equal((c['type'], c['name'], c['image']), (7, status['metadata']['name'], status['image']['image']))
        equal(c['pod_sandbox_id'], sandbox)
        equal(c['created_time'], int(status['created_at']) // 10**9)
        equal(c['pod_sandbox_labels'], of_pod['labels'])
        equal({k: v for k, v in c['labels'].items() if k != 'io.kubernetes.sandbox.id'}, status['labels'])
        equal((c['ip'], s['ip']), (of_pod.get('network', {}).get('ip', ''),) * 2)
        equal([(m['Source'], m['Destination'], m['RW']) for m in c['Mounts']],
              [(m['host_path'], m['container_path'], not m.get('readonly')) for m in status['mounts']])
        equal(c['memory_limit'], int(status['resources']['linux']['memory_limit_in_bytes']))
        equal((c['host_network'], c['privileged']), ('--hostnet' in args, '--priv' in args))
        equal((c['env'], c['is_pod_sandbox'], s['is_pod_sandbox']), (['FOO=bar'], False, True))
        for x, i in (('Stop', sandbox), ('Remove', sandbox)):
            cri(x + 'PodSandbox', {'pod_sandbox_id': i})
    check(container not in _containers())


def containerd_says_the_same():
    sh('ctr', '-a', CRI, 'image', 'import', f'{STATE}/image/busybox.tar')
    sh('ctr', '-a', CRI, 'run', '-d', '--label', 'x=y', '--env', 'A=b', IMAGE, 'plain-one', 'sleep', '1000')
    c = _containers()['plain-one']
    info = json.loads(sh('ctr', '-a', CRI, 'container', 'info', 'plain-one'))
    equal((c['type'], c['image'], c['labels']), (7, info['Image'], info['Labels']))
    equal(c['env'], info['Spec']['process']['env'])
    equal([m['Destination'] for m in c['Mounts']], [m['destination'] for m in info['Spec']['mounts']])
    equal(c['created_time'], _seconds(info['CreatedAt']))
    sh('ctr', '-a', CRI, 'task', 'rm', '-f', 'plain-one')
    sh('ctr', '-a', CRI, 'container', 'rm', 'plain-one')


def alerts_name_their_container():
    out = open(file('alerts'), 'wb')
    p = subprocess.Popen([SAKER, 'run', '-q', '-r', file('rules.yaml', RULES), *SOCKETS], stdout=out, env=ENV)
    try:
        in_docker = docker('run', '-d', '--name', 'alert-docker', '--network', 'none', 'busybox:test', 'sleep', '1000').strip()
        in_podman = podman('run', '-d', '--name', 'alert-podman', '--network', 'none', IMAGE, 'sleep', '1000').strip()
        sandbox, in_cri = pod('alert-pod')
        want = [f'secret {in_docker[:12]} alert-docker busybox test <NA> <NA>',
                f'secret {in_podman[:12]} alert-podman docker.io/library/busybox test <NA> <NA>',
                f'secret {in_cri[:12]} app docker.io/library/busybox test alert-pod prod']
        end = time.time() + 60
        while time.time() < end and not all(x in open(out.name).read() for x in want):
            docker('exec', 'alert-docker', 'cat', '/etc/passwd')
            podman('exec', 'alert-podman', 'cat', '/etc/passwd')
            cri('ExecSync', {'container_id': in_cri, 'cmd': ['cat', '/etc/passwd'], 'timeout': 5})
            time.sleep(0.3)
        for x in want:
            check(x in open(out.name).read(), x, open(out.name).read()[-1500:])
        after = open(out.name).read().split(want[0])[-1]
        check('<NA> <NA> <NA>' not in after, after)
    finally:
        p.send_signal(signal.SIGINT)
        p.wait(timeout=30)
        out.close()
    equal(p.returncode, 0)


with_runtimes(globals())
