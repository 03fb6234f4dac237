# SPDX-License-Identifier: Apache-2.0
"""What real runtimes do to those who ask them: they are stopped, ended and started again, forbidden; their containers are killed,
paused, and called as others were.  Alerts keep what is known, and say why the rest is not."""
import atexit
import json
import os
import signal
import subprocess
import threading
import time

from real import CRI, DOCKER, ENV, HERE, IMAGE, PODMAN, SOCKETS, STATE, docker, podman, sh, with_runtimes
from tap import PATIENCE, SAKER, check, equal, file

RULES = '''
- rule: Shadow read
  desc: a container says that it is there
  condition: evt.type in (open, openat) and fd.name = /etc/shadow and proc.args = /etc/shadow and container.id != host
  output: "%container.id %container.name %container.image.repository %container.metadata_status"
  priority: WARNING
- rule: Other image
  desc: never true of what is started here
  condition: >
    evt.type in (open, openat) and fd.name = /etc/shadow and proc.args = /etc/shadow and container.id != host
    and not container.image.repository in (busybox, docker.io/library/busybox, docker.io/library/second)
  output: "%container.id %container.name %container.image.repository %container.metadata_status"
  priority: WARNING
'''
LOOP = ['sh', '-c', 'while :; do cat /etc/shadow >/dev/null; sleep 0.2; done']
WITHOUT_OVERRIDE = ['setpriv', '--bounding-set=-all,+bpf,+perfmon,+sys_ptrace,+dac_read_search']
NAMED = ('busybox', 'docker.io/library/busybox')


class _Watch:
    """saker run, and its alerts of a container, by when they came."""

    def __init__(self, *sockets, before=()):
        self.said = open(file('said'), 'wb')
        self.p = subprocess.Popen([*before, SAKER, 'run', '--json', '-a', '-r', file('rules.yaml', RULES), *(sockets or SOCKETS)],
                                  stdout=subprocess.PIPE, stderr=self.said, env=ENV)
        atexit.register(self.p.kill)
        self.alerts = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        _until(lambda: 'watching' in self.text() or self.p.poll() is not None)
        time.sleep(1)

    def _read(self):
        for line in self.p.stdout:
            self.alerts.append(json.loads(line))

    def text(self):
        return open(self.said.name).read()

    def of(self, full_id, since=0, rule='Shadow read'):
        """(name, image, status) of each; what the rest of the alert says of metadata is the same."""
        found = []
        for a in self.alerts[since:]:
            f = a['output_fields']
            if a['rule'] == rule and f['container.id'] == full_id[:12]:
                said = f['container.metadata_status']
                equal(a.get('saker', {}).get('metadata_status', 'ready'), said, a)
                found.append((f['container.name'], f['container.image.repository'], said))
        return found

    def until(self, full_id, what, seconds=60):
        """Until one of its alerts that are still to come is so."""
        since = len(self.alerts)
        _until(lambda: any(what(x) for x in self.of(full_id, since)), seconds, lambda: (full_id, self.of(full_id, since)[-3:]))

    def end(self):
        self.p.send_signal(signal.SIGINT)
        self.p.wait(60 * PATIENCE)
        self.reader.join()
        equal(self.p.returncode, 0, self.text())
        return self.text()


def _until(true, seconds=60, say=str):
    end = time.time() + seconds * PATIENCE
    while not true():
        check(time.time() < end, 'it does not come', say())
        time.sleep(0.02)


def _is_named(x):
    return x[0] and x[1] in NAMED and x[2] == 'ready'


def _says_why(x):
    return x[:2] == (None, None) and x[2] in ('pending_timeout', 'no_runtime')


def _run(name, *command):
    return docker('run', '-d', '--network', 'none', '--name', name, 'busybox:test', *(command or LOOP)).strip()


def _dockerd():
    return int(open(f'{STATE}/docker/pid').read())


def _has_group(full_id):
    return os.path.exists(f'/sys/fs/cgroup/unified/docker/{full_id}') or os.path.exists(f'/sys/fs/cgroup/docker/{full_id}')


def a_runtime_that_is_stopped_while_containers_start():
    """Each alert comes, and names its container or says why it does not; and all do once the runtime goes on."""
    w = _Watch()
    ids = [docker('create', '--network', 'none', '--name', f'stopped{i}', 'busybox:test', *LOOP).strip() for i in range(3)]
    pid = _dockerd()
    starting = [subprocess.Popen(['docker', 'start', i], env=ENV, stdout=subprocess.DEVNULL) for i in ids]
    try:
        _until(lambda: any(map(_has_group, ids)))
        os.kill(pid, signal.SIGSTOP)
        time.sleep(4)
        seen = [x for i in ids for x in w.of(i)]
    finally:
        os.kill(pid, signal.SIGCONT)
    equal([x for x in seen if not _is_named(x) and not _says_why(x)], [])
    for p in starting:
        equal(p.wait(60 * PATIENCE), 0)
    for i in ids:
        w.until(i, _is_named)
        equal([x for x in w.of(i, rule='Other image') if _is_named(x)], [])
    w.end()
    docker('rm', '-f', *ids)


def one_that_hangs_from_the_start():
    """Of a container that nobody tells of the id is known, and why nothing else is; later all of it."""
    full_id = _run('before')
    pid = _dockerd()
    os.kill(pid, signal.SIGSTOP)
    try:
        w = _Watch('--runtime-socket', f'docker={DOCKER}')
        w.until(full_id, _says_why)
        equal([x for x in w.of(full_id) if not _says_why(x)], [])
    finally:
        os.kill(pid, signal.SIGCONT)
    w.until(full_id, _is_named)
    w.end()
    docker('rm', '-f', full_id)


def one_that_is_started_again():
    w = _Watch()
    full_id = _run('again')
    w.until(full_id, _is_named)
    pid = _dockerd()
    os.kill(pid, signal.SIGTERM)
    _until(lambda: not os.path.exists(f'/proc/{pid}'))
    sh(f'{HERE}/runtimes', 'dockerd')
    docker('start', full_id)
    new = _run('after')
    for i in (full_id, new):
        w.until(i, _is_named)
    equal([x for i in (full_id, new) for x in w.of(i) if not _is_named(x) and not _says_why(x)], [])
    said = w.end()
    check(f'docker at {DOCKER}' in said, said)
    docker('rm', '-f', full_id, new)


def containers_that_are_killed_and_started_again_or_paused():
    w = _Watch()
    full_id, in_podman = _run('acted'), podman('run', '-d', '--network', 'none', '--name', 'acted', IMAGE, *LOOP).strip()
    for client, i in ((docker, full_id), (podman, in_podman)):
        w.until(i, _is_named)
        client('pause', i)
        time.sleep(0.5)
        paused_at = len(w.alerts)
        time.sleep(1)
        equal(w.of(i, paused_at), [])
        client('unpause', i)
        w.until(i, _is_named)
        client('kill', '-s', 'KILL', i)
        client('start', i)
        w.until(i, _is_named)
        client('restart', '-t', '0', i)
        w.until(i, _is_named)
        equal([x for x in w.of(i) if not _is_named(x)], [])
    w.end()
    docker('rm', '-f', full_id)
    podman('rm', '-ft0', in_podman)


def one_that_is_killed_in_its_first_moment():
    w = _Watch()
    ids = []
    for i in range(5):
        ids.append(docker('create', '--network', 'none', '--name', f'brief{i}', 'busybox:test', 'sh', '-c', 'cat /etc/shadow; sleep 9').strip())
        docker('start', ids[-1])
        docker('rm', '-f', ids[-1])
    for i in ids:
        _until(lambda: w.of(i), say=lambda: i)
        equal([x for x in w.of(i) if not _is_named(x)], [])
    w.end()


def an_id_that_is_used_again():
    """Plain containerd's are what users say; the second has another image."""
    w = _Watch()
    second = 'docker.io/library/second:test'
    sh('ctr', '-a', CRI, 'image', 'import', f'{STATE}/image/busybox.tar')
    sh('ctr', '-a', CRI, 'image', 'tag', IMAGE, second)
    for image in (IMAGE, second, IMAGE):
        since = len(w.alerts)
        sh('ctr', '-a', CRI, 'run', '-d', image, 'recycled', 'sh', '-c', 'cat /etc/shadow; sleep 1000')
        _until(lambda: w.of('recycled', since))
        equal(w.of('recycled', since), [('recycled', image.rsplit(':', 1)[0], 'ready')])
        sh('ctr', '-a', CRI, 'task', 'rm', '-f', 'recycled')
        sh('ctr', '-a', CRI, 'container', 'rm', 'recycled')
    w.end()


def a_name_that_is_used_again():
    w = _Watch()
    for _ in range(3):
        full_id = _run('same', 'sh', '-c', 'cat /etc/shadow; sleep 1000')
        _until(lambda: w.of(full_id))
        equal(w.of(full_id), [('same', 'busybox', 'ready')])
        docker('rm', '-f', full_id)
    w.end()


def a_socket_of_another_user():
    """Whoever has the right to open it has a helper do so.  Who does not is told, by the alerts too, until that is mended."""
    full_id = podman('run', '-d', '--network', 'none', '--name', 'theirs', IMAGE, *LOOP).strip()
    os.chown(PODMAN, 65534, 65534)
    os.chmod(PODMAN, 0o600)
    try:
        w = _Watch('--runtime-socket', f'podman={PODMAN}')
        w.until(full_id, _is_named)
        w.end()
        w = _Watch('--runtime-socket', f'podman={PODMAN}', before=WITHOUT_OVERRIDE)
        w.until(full_id, lambda x: x == (None, None, 'permission_denied'))
        equal([x for x in w.of(full_id) if _is_named(x)], [])
        check(f'the container runtime at {PODMAN} may not be asked' in w.text(), w.text())
    finally:
        os.chown(PODMAN, 0, 0)
    w.until(full_id, _is_named)
    w.end()
    podman('rm', '-ft0', full_id)


with_runtimes(globals())
