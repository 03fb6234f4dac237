# SPDX-License-Identifier: Apache-2.0
"""Real runtimes for a test, on sockets of its own: docker(), podman(), cri(), pod(); and with_runtimes() to run it.  Needs root
and what `runtimes install` installs; skips without."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'cli'))
from tap import equal, run  # noqa: E402

IMAGE = 'docker.io/library/busybox:test'
STATE = tempfile.mkdtemp(prefix='saker-runtimes-')
DOCKER = f'{STATE}/docker/docker.sock'
PODMAN = f'{STATE}/podman/podman.sock'
CRI = f'{STATE}/containerd/containerd.sock'
ENV = {**os.environ, 'RUNTIMES_RUN': STATE, 'DOCKER_HOST': f'unix://{DOCKER}', 'PYTHONDONTWRITEBYTECODE': '1'}
SOCKETS = [x for kind, path in (('docker', DOCKER), ('podman', PODMAN), ('cri', CRI), ('containerd', CRI))
           for x in ('--runtime-socket', f'{kind}={path}')]


def sh(*args, timeout=60):
    p = subprocess.run(args, env=ENV, capture_output=True, text=True, timeout=timeout)
    equal(p.returncode, 0, args, p.stderr)
    return p.stdout


def docker(*args):
    return sh('docker', *args)


def podman(*args):
    return sh(f'{STATE}/podman/pm', *args)


def cri(method, request):
    return json.loads(sh('/usr/bin/python3', f'{HERE}/cri.py', CRI, method, json.dumps(request)))


def pod(*args):
    said = sh('/usr/bin/python3', f'{HERE}/pod.py', CRI, *args)
    return re.search(r'^sandbox (\w+)', said, re.M)[1], re.search(r'^container (\w+)', said, re.M)[1]


class Bundle:
    """A container of plain runc, on an overlay of its own; change `spec` before it is run."""

    def __init__(self, folder, cgroups, args):
        self.folder = folder
        for part in ('upper', 'work', 'rootfs'):
            os.makedirs(f'{folder}/{part}')
        sh('mount', '-t', 'overlay', 'overlay', '-o', f'lowerdir={STATE}/image/rootfs,upperdir={folder}/upper,workdir={folder}/work',
           f'{folder}/rootfs')
        sh('runc', 'spec', '-b', folder)
        with open(f'{folder}/config.json') as f:
            self.spec = json.load(f)
        self.spec['process'].update(terminal=False, args=args)
        self.spec['process'].pop('rlimits', None)
        self.spec['linux']['cgroupsPath'] = cgroups
        self.spec['mounts'] = [m for m in self.spec['mounts'] if m['type'] != 'cgroup']

    def run(self, name):
        """Its pid."""
        with open(f'{self.folder}/config.json', 'w') as f:
            json.dump(self.spec, f)
        subprocess.run(['runc', '--root', f'{self.folder}/state', 'run', '-d', '-b', self.folder, name], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with open(f'{self.folder}/state/{name}/state.json') as f:
            return str(json.load(f)['init_process_pid'])

    def execute(self, name, line):
        return sh('runc', '--root', f'{self.folder}/state', 'exec', name, 'sh', '-c', line)

    def end(self, name):
        subprocess.run(['runc', '--root', f'{self.folder}/state', 'delete', '-f', name])
        subprocess.run(['umount', f'{self.folder}/rootfs'])


def _skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(0)


def with_runtimes(tests, prepare=None):
    if os.geteuid():
        _skip('needs root')
    for tool in ('dockerd', 'podman', 'containerd', 'ctr', 'runc', 'conmon', 'busybox', 'gcc'):
        if not shutil.which(tool):
            _skip(f'needs {tool}; tests/runtimes/runtimes install')
    subprocess.run([f'{HERE}/runtimes', 'up'], env=ENV, check=True, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    try:
        if prepare:
            prepare()
        run(tests)
    finally:
        subprocess.run([f'{HERE}/runtimes', 'down'], env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
