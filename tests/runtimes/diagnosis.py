# SPDX-License-Identifier: Apache-2.0
"""saker doctor with real runtimes: which programs answer and how many containers they tell of, as their own clients say; and the
exercise in a container of docker and podman."""
import json
import os
import re
import subprocess
import sys

from real import CRI, DOCKER, ENV, HERE, IMAGE, PODMAN, SOCKETS, STATE, cri, docker, podman, sh, with_runtimes
from tap import PATIENCE, SAKER, check, equal

sys.path.insert(0, os.path.join(HERE, '..', 'live'))
from hierarchies import be_of_the_host  # noqa: E402

IN_CONTAINER = {'container-shell': 'Interactive Shell in Container', 'container-secret': 'Password Hashes Read',
                'container-drop': 'New Binary Executed in Container'}


def _doctor(*args, env=ENV, **kwargs):
    return subprocess.run([SAKER, 'doctor', '--json', *SOCKETS, *args], env=env, capture_output=True, text=True,
                          timeout=300 * PATIENCE, **kwargs)


def _runtimes():
    """By kind and path; again while one that has just started, on a busy machine, answers too late."""
    for _ in range(5):
        found = {(r['kind'], r['path']): r for r in json.loads(_doctor().stdout)['runtimes'] if r['path'].startswith(STATE)}
        if len(found) == 4 and all('version' in r for r in found.values()):
            break
    return found


def each_runtime_says_which_program_it_is():
    server = json.loads(docker('version', '--format', '{{json .Server}}'))
    by_cri = cri('Version', {})
    by_ctr = re.search(r'Server:\s+Version: +(\S+)', sh('ctr', '-a', CRI, 'version'))[1]
    by_podman = json.loads(sh('curl', '-sf', '--unix-socket', PODMAN, 'http://d/version'))
    found = _runtimes()
    for place, version in ((('docker', DOCKER), f"Docker {server['Version']} (API {server['ApiVersion']})"),
                           (('podman', PODMAN), f"Podman {by_podman['Version']}"),
                           (('cri', CRI), f"{by_cri['runtime_name']} {by_cri['runtime_version']} (CRI {by_cri['runtime_api_version']})"),
                           (('containerd', CRI), f'containerd {by_ctr}')):
        equal(found[place]['status'], 'ok', found[place])
        check(found[place]['version'].startswith(version), found[place], version)
    equal(podman('version', '--format', '{{.Client.Version}}').strip(), by_podman['Version'])


def and_of_how_many_containers_it_tells():
    sh('ctr', '-a', CRI, 'image', 'import', f'{STATE}/image/busybox.tar')
    started = {'docker': docker('run', '-d', '--network', 'none', 'busybox:test', 'sleep', '1000').strip(),
               'podman': podman('run', '-d', '--network', 'none', IMAGE, 'sleep', '1000').strip()}
    name = f'counted{os.getpid()}'
    sh('ctr', '-a', CRI, 'run', '-d', IMAGE, name, 'sleep', '1000')
    try:
        found = {kind: r['containers'] for (kind, _), r in _runtimes().items()}
        equal(found, {'docker': len(docker('ps', '-q').split()), 'podman': len(podman('ps', '-q').split()),
                      'containerd': len(sh('ctr', '-a', CRI, 'container', 'ls', '-q').split()), 'cri': 0})
        equal(found, {'docker': 1, 'podman': 1, 'containerd': 1, 'cri': 0})
    finally:
        docker('rm', '-f', started['docker'])
        podman('rm', '-ft0', started['podman'])
        sh('ctr', '-a', CRI, 'task', 'rm', '-f', name)
        sh('ctr', '-a', CRI, 'container', 'rm', name)


def _exercise(image):
    """Its clients are found where the user has them; podman and ctr need to be told of places of their own."""
    path = os.path.join(STATE, 'clients')
    os.makedirs(path, exist_ok=True)
    with open(f'{path}/podman', 'w') as f:
        f.write(f'#!/bin/sh\nPATH={ENV["PATH"]} exec {STATE}/podman/pm "$@"\n')
    os.chmod(f'{path}/podman', 0o755)
    p = _doctor('--exercise', '--container', image, preexec_fn=be_of_the_host,
                env={**ENV, 'PATH': f'{path}:{ENV["PATH"]}', 'CONTAINERD_ADDRESS': CRI, 'HOME': '/root'})
    return p, {a['act']: a for a in json.loads(p.stdout)['acts']}


def _all_fired(image):
    p, acts = _exercise(image)
    for name, rule in IN_CONTAINER.items():
        a = acts[name]
        equal((a['status'], a['rule'], a['lacks']), ('fired', rule, []), image, a)
    equal((p.returncode, json.loads(p.stdout)['good']), (0, True), p.stdout)


def the_exercise_in_a_container_of_docker():
    docker('tag', 'busybox:test', 'of-docker:test')
    _all_fired('of-docker:test')
    equal(docker('ps', '-aq'), '')


def in_one_of_podman():
    podman('tag', IMAGE, 'localhost/of-podman:test')
    _all_fired('localhost/of-podman:test')
    equal(podman('ps', '-aq'), '')


def without_the_image_it_says_who_was_asked():
    p, acts = _exercise('no-such-image:test')
    for name in IN_CONTAINER:
        equal(acts[name]['status'], 'skipped')
        for client in ('docker: ', 'podman: ', 'ctr: '):
            check(client in acts[name]['why'], acts[name])


with_runtimes(globals())
