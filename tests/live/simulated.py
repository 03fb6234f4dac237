# SPDX-License-Identifier: Apache-2.0
"""A container runtime that is none: a socket at which somebody answers as Docker does, late, hanging or not at all; and
processes in control groups named as Docker names them, whose first act is to read the shadow file, or another."""
import atexit
import json
import os
import random
import signal
import socketserver
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from hierarchies import HIERARCHIES  # noqa: E402
from tap import TMP  # noqa: E402

IMAGE, TAG = 'sim/shop', '1.2'
MARK = 'pending-mark'  # the last argument of each shell
PARALLEL = 8
_REST = 'f' * 52  # of a full id, behind the short one

_started = set()
_OURS = f'{os.getpid():06x}'  # how ids of this process begin


class Docker(socketserver.ThreadingUnixStreamServer):
    """Knows every container that is started here; answers after so many milliseconds.  A process of its own, so that who
    starts containers does not slow it down."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name, delay_ms):
        self.path = os.path.join(TMP, name)
        self.delay_ms = delay_ms
        super().__init__(self.path, _Handler)
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                self.serve_forever()
            finally:
                os._exit(0)
        self.socket.close()
        atexit.register(os.kill, pid, signal.SIGKILL)

    def handle_error(self, *_):
        """Whoever asked has gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def address_string(self):
        return ''

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path
        if 'events' in path:
            self.send_response(200)
            self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            time.sleep(600)
            return
        if '/containers/' in path and path.endswith('/json'):
            short = path.split('/')[-2]
            if not short.startswith(_OURS):
                self.send_error(404)
                return
            low, high = self.server.delay_ms
            time.sleep(random.uniform(low, high) / 1000)
            self._give(_inspection(short))
        elif '/containers/json' in path:
            self._give([])
        else:
            self._give({})

    def _give(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _inspection(short):
    return {'Id': short + _REST, 'Name': f'/name-{short}', 'Image': 'sha256:' + '0' * 64, 'Created': '2024-01-01T00:00:00Z',
            'State': {'Running': True}, 'Config': {'Image': f'{IMAGE}:{TAG}', 'Labels': {}, 'Env': []},
            'HostConfig': {'Privileged': False, 'PidMode': 'host'}, 'Mounts': [], 'NetworkSettings': {'IPAddress': '172.17.0.2'}}


def _groups(name):
    return [os.path.join(h, 'docker', name) for h in HIERARCHIES]


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
    groups = _groups(short + _REST)
    _started.add(short)
    for group in groups:
        os.makedirs(group)
        for name in ('cpuset.cpus', 'cpuset.mems'):  # without them none may enter
            own, above = os.path.join(group, name), os.path.join(os.path.dirname(group), name)
            if os.path.exists(own) and not open(own).read().strip():
                top = open(os.path.join(os.path.dirname(os.path.dirname(group)), name)).read()
                for path in (above, own):
                    with open(path, 'w') as f:
                        f.write(top)

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
