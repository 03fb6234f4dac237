# SPDX-License-Identifier: Apache-2.0
"""A container runtime that is none: a socket at which somebody answers as Docker does, late, hanging or not at all; and
processes in control groups named as Docker names them, whose first act is to read the shadow file, or another."""
import atexit
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
import simdocker  # noqa: E402
from hierarchies import groups_of, make_groups  # noqa: E402
from tap import TMP  # noqa: E402

PODMAN = '/v4.0.0/libpod'  # in front of the paths that podman has as Docker does
IMAGE, TAG = 'sim/shop', '1.2'
MARK = 'pending-mark'  # the last argument of each shell
PARALLEL = 8
_REST = 'f' * 52  # of a full id, behind the short one

_started = set()
_OURS = f'{os.getpid():06x}'  # how ids of this process begin


class Docker(simdocker.Server):
    """Knows every container that is started here; answers after so many milliseconds.  A process of its own, so that who
    starts containers does not slow it down."""

    request_queue_size = 256

    def __init__(self, name, delay_ms, prefix=''):
        self.delay_ms = delay_ms
        answers = {'/events': _stream, '/containers/json': b'[]', '/containers/': _inspect}
        super().__init__(os.path.join(TMP, name), {**{prefix + path: answer for path, answer in answers.items()}, '/': b'{}'})
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                self.serve_forever()
            finally:
                os._exit(0)
        self.socket.close()
        atexit.register(os.kill, pid, signal.SIGKILL)


def _stream(h):
    """Of events, which never come."""
    h.send_response(200)
    h.send_header('Transfer-Encoding', 'chunked')
    h.end_headers()
    time.sleep(600)


def _inspect(h):
    path = h.path.partition('?')[0]
    short = path.split('/')[-2]
    if not path.endswith('/json') or not short.startswith(_OURS):
        h.give(404, b'{}')
        return
    low, high = h.server.delay_ms
    time.sleep(random.uniform(low, high) / 1000)
    h.give(200, json.dumps(_inspection(short)).encode())


def _inspection(short):
    return {'Id': short + _REST, 'Name': f'/name-{short}', 'Image': 'sha256:' + '0' * 64,
            'ImageName': f'{IMAGE}:{TAG}', 'Created': '2024-01-01T00:00:00Z',
            'State': {'Running': True}, 'Config': {'Image': f'{IMAGE}:{TAG}', 'Labels': {}, 'Env': []},
            'HostConfig': {'Privileged': False, 'PidMode': 'host'}, 'Mounts': [], 'NetworkSettings': {'IPAddress': '172.17.0.2'}}


def _groups(name):
    return groups_of(f'docker/{name}')


def leave_nothing():
    for short in _started:
        for group in _groups(short + _REST):
            if os.path.exists(group):
                os.rmdir(group)
    for group in _groups(''):
        try:
            os.rmdir(group)
        except OSError:
            pass  # somebody else's are in it


def _start(short, act):
    """A container whose first act is this; the child moves itself before it execs."""
    _started.add(short)
    groups = make_groups(f'docker/{short + _REST}')

    def enter():
        for group in groups:
            with open(os.path.join(group, 'cgroup.procs'), 'w') as f:
                f.write('0')

    p = subprocess.Popen(['sh', '-c', act, MARK], stdout=subprocess.DEVNULL, preexec_fn=enter)
    return p, groups


def start_many(n, first, act='cat /etc/shadow'):
    """n containers, a few at a time; their ids, which no other process gives."""
    ids = [f'{_OURS}{first + i:06x}' for i in range(n)]
    running = []
    for short in ids:
        running.append(_start(short, act))
        if len(running) >= PARALLEL:
            _end(*running.pop(0))
    for r in running:
        _end(*r)
    return ids


def _end(p, groups):
    p.wait()
    for group in groups:
        for _ in range(200):
            try:
                os.rmdir(group)
                break
            except OSError:
                time.sleep(0.01)


atexit.register(leave_nothing)
