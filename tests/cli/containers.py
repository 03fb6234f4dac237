# SPDX-License-Identifier: Apache-2.0
"""saker containers against runtimes that answer well, badly or not at all."""
import json
import os
import shutil
import socket
import time
import urllib.parse

from simdocker import ID, Docker, recorded
from tap import TMP, check, done, equal, fails, file, run, saker, skip


def _containers(*paths, options=(), timeout=60):
    """With an empty root in front of every usual place, so that the machine's own runtimes are left out."""
    root = os.path.join(TMP, 'root')
    os.makedirs(root, exist_ok=True)
    args = []
    for p in paths:
        args += ['--runtime-socket', p.replace('=', '=/..' + '/..' * root.count('/'), 1) if '=/' in p else p]
    return saker('containers', *args, *options, env={'HOST_ROOT': root}, timeout=timeout)


def _objects(p):
    return [json.loads(line) for line in p.stdout.splitlines()]


def a_container_is_listed():
    d = Docker()
    p = _containers(f'docker={d.path}')
    lines = done(p).decode().splitlines()
    equal(lines[0].split(), ['ID', 'RUNTIME', 'NAME', 'IMAGE', 'STATUS', 'POD'])
    equal(lines[1].split(), [ID[:12], 'docker', 'd1', 'busybox:test', 'ready'])
    equal(len(lines), 2)
    equal(p.stderr, b'')


def what_roots_runtime_knows_is_not_for_a_user_to_say():
    if os.geteuid():
        skip('needs root')
    ours = Docker()
    theirs = Docker({'/containers/json': recorded('docker-list').replace(b'/d1', b'/evil'),
                     f'/containers/{ID[:12]}': recorded('docker-inspect').replace(b'"/d1"', b'"/evil"')})
    os.chown(theirs.path, 65534, 65534)
    for both in ((ours, theirs), (theirs, ours)):
        found = _objects(_containers(*(f'docker={d.path}' for d in both), options=['--json']))
        equal([c['name'] for c in found], ['d1'])
    equal([c['name'] for c in _objects(_containers(f'docker={theirs.path}', options=['--json']))], ['evil'])


def json_has_everything():
    d = Docker()
    c, = _objects(_containers(f'docker={d.path}', options=['--json']))
    equal(c['full_id'], ID)
    equal((c['imagerepo'], c['imagetag'], c['imageid'][:12]), ('busybox', 'test', '396742c0a154'))
    equal(c['Mounts'][0]['Destination'], '/h')
    equal(len(c['labels']['long']), 150)
    equal(c['metadata_status'], 'ready')


def _with_processes(*cgroups):
    """What /proc has of processes in these cgroups."""
    for i, path in enumerate(cgroups, 1):
        os.makedirs(os.path.join(TMP, f'root/proc/{i}'), exist_ok=True)
        with open(os.path.join(TMP, f'root/proc/{i}/cgroup'), 'w') as f:
            f.write(f'2:cpu:/\n0::{path}\n')


def what_only_processes_tell_of_is_listed_and_why():
    other = 'a' * 64
    _with_processes(f'/docker/{other}', f'/docker/{other}', f'/docker/{ID}', '/user.slice', '/')
    try:
        d = Docker()
        told, alone = sorted(_objects(_containers(f'docker={d.path}', options=['--json'])), key=lambda c: c['id'])
        equal(told['full_id'], ID)
        equal(alone, {'type': 0, 'id': other[:12], 'processes': 2, 'metadata_status': 'pending_timeout'})
        p = _containers()
        fails(p, 1, 'no container runtime was found')
        equal([x.split() for x in p.stdout.decode().splitlines()[1:]],
              [[ID[:12], 'docker', 'no_runtime'], [other[:12], 'docker', 'no_runtime']])
    finally:
        shutil.rmtree(os.path.join(TMP, 'root/proc'))


def the_address_may_be_that_of_another_container():
    inspect = json.loads(recorded('docker-inspect'))
    inspect['HostConfig']['NetworkMode'] = 'container:other'
    peer = {'Id': 'x', 'NetworkSettings': {'IPAddress': '10.1.2.3'}}
    d = Docker({f'/containers/{ID[:12]}': json.dumps(inspect).encode(), '/containers/other': json.dumps(peer).encode()})
    c, = _objects(_containers(f'docker={d.path}', options=['--json']))
    equal(c['ip'], '10.1.2.3')


def a_container_that_cannot_be_inspected_is_known_by_the_list():
    d = Docker({f'/containers/{ID[:12]}': None})
    c, = _objects(_containers(f'docker={d.path}', options=['--json']))
    equal((c['name'], c['image'], c['imagetag']), ('d1', 'busybox:test', 'test'))


def many_containers_are_listed():
    def one(i):
        return f'{i:064x}'[::-1]
    entries = {one(i): {'Id': one(i), 'Names': [f'/n{i}'], 'Image': 'a:b', 'Created': 1} for i in range(2000)}

    def listing(h):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(h.path).query)
        wanted = json.loads(query['filters'][0])['id'][0] if 'filters' in query else ''
        h.give(200, json.dumps([e for k, e in entries.items() if k.startswith(wanted)]).encode())
    d = Docker({'/containers/': None, '/containers/json': listing})
    equal(len(_objects(_containers(f'docker={d.path}', options=['--json']))), 2000)


def no_runtime_is_a_fault_that_is_named():
    fails(_containers(), 1, 'no container runtime was found')


def what_is_no_socket_is_named():
    fails(_containers(f'docker={file("plain")}'), 1, 'it is no socket')


def a_link_to_a_socket_is_followed():
    d = Docker()
    os.symlink(d.path, d.path + '.link')
    check(b' d1 ' in done(_containers(f'docker={d.path}.link')))


def a_socket_that_two_paths_lead_to_is_asked_once():
    d = Docker()
    os.symlink(d.path, d.path + '.link')
    done(_containers(f'docker={d.path}.link', f'docker={d.path}'))
    equal(sum(a == '/containers/json?all=1' for a in d.asked), 1, d.asked)


def nobody_listens():
    path = os.path.join(TMP, 'dead.sock')
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.close()
    fails(_containers(f'docker={path}'), 1, 'docker at', 'Connection refused')


def a_runtime_that_fails_spoils_no_other():
    good, bad = Docker(), Docker({'/containers/json': b'<html>'})
    p = _containers(f'docker={bad.path}', f'docker={good.path}')
    fails(p, 1, 'the answer makes no sense')
    check(b' d1 ' in p.stdout, p.stdout)


def a_runtime_that_hangs_is_given_up():
    d = Docker({'/containers/json': lambda h: time.sleep(20)})
    start = time.time()
    fails(_containers(f'docker={d.path}'), 1, 'Timeout was reached')
    check(time.time() - start < 15)


def an_answer_that_comes_byte_by_byte_is_given_up():
    def drip(h):
        h.send_response(200)
        h.send_header('Content-Length', '1000000')
        h.end_headers()
        try:
            for _ in range(1000):
                h.wfile.write(b'[')
                time.sleep(0.02)
        except OSError:
            pass
    d = Docker({'/containers/json': drip})
    fails(_containers(f'docker={d.path}'), 1, 'Timeout was reached')


def an_answer_that_ends_early_is_refused():
    def cut(h):
        h.send_response(200)
        h.send_header('Content-Length', '1000')
        h.end_headers()
        h.wfile.write(b'[{"Id":')
        h.close_connection = True
        h.connection.shutdown(socket.SHUT_RDWR)
    d = Docker({'/containers/json': cut})
    fails(_containers(f'docker={d.path}'), 1, 'docker at')


def an_answer_without_end_is_cut_off():
    def flood(h):
        h.send_response(200)
        h.end_headers()
        try:
            while True:
                h.wfile.write(b'x' * 1048576)
        except OSError:
            pass
    d = Docker({f'/containers/{ID[:12]}': flood})
    c, = _objects(_containers(f'docker={d.path}', options=['--json']))
    equal(c['env'], [])


def hostile_text_is_shown_safely():
    entry = {'Id': 'f' * 64, 'Name': '/\x1b[2Jx\ny', 'Config': {'Image': 'i\x07', 'Labels': {'a\x00b': 'x' * 1000000}}}
    d = Docker({'/containers/json': b'[{"Id":"' + b'f' * 64 + b'"}]', '/containers/fff': json.dumps(entry).encode()})
    p = _containers(f'docker={d.path}')
    check(not any(c < 32 and c != 10 for c in p.stdout), p.stdout)
    equal(len(p.stdout.splitlines()), 2)
    c, = _objects(_containers(f'docker={d.path}', options=['--json']))
    equal(c['name'], '\x1b[2Jx\ny')


def sockets_must_be_named_well():
    for bad in ('docker', 'docker=', 'docker=relative', 'rkt=/x', '=/x'):
        fails(saker('containers', '--runtime-socket', bad), 2, bad, 'KIND=PATH')
    fails(saker('containers', 'extra'), 2, 'too many')


def http_is_not_grpc():
    d = Docker()
    fails(_containers(f'cri={d.path}'), 1, 'cri at')


run(globals())
