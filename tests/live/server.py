# SPDX-License-Identifier: Apache-2.0
"""A `saker run` that has a web server, for tests that ask it."""
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, file  # noqa: E402

RULES = file('web.yaml', '''
- rule: Marked "program"
  desc: d
  condition: evt.type = execve and proc.args contains saker-web-mark
  output: marked
  priority: WARNING
  tags: [T1059, mitre_execution, "odd-tag"]
''')


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def config(name, port, *lines):
    return file(name, f'webserver:\n  enabled: true\n  listen_port: {port}\n' + '\n'.join(lines) + '\n')


METRICS = ('  prometheus_metrics_enabled: true', 'metrics:', '  enabled: true')


class Run:
    """saker run until the block ends, once it answers."""

    def __init__(self, configuration, port, *more, health='/healthz', curl=()):
        self.url = f'{"https" if curl else "http"}://127.0.0.1:{port}'
        self.curl = curl
        self.err = file('web-err')
        self.out = file('web-out')
        self.health = health
        self.args = [SAKER, 'run', '-c', configuration, '-r', RULES, *more]

    def get(self, path, *options):
        return subprocess.run(['curl', '-s', '-i', '--max-time', '20', *self.curl, *options, self.url + path],
                              capture_output=True, text=True).stdout.replace('\r', '')

    def __enter__(self):
        with open(self.out, 'wb') as out, open(self.err, 'wb') as err:
            self.p = subprocess.Popen(self.args, stdout=out, stderr=err)
        end = time.time() + 60 * PATIENCE
        while '200 OK' not in self.get(self.health):
            if self.p.poll() is not None or time.time() > end:
                self.p.kill()
                raise AssertionError(f'no answer: {open(self.err).read()[:1500]}')
            time.sleep(0.2)
        return self

    def __exit__(self, *exc):
        self.p.send_signal(signal.SIGINT)
        try:
            self.status = self.p.wait(60 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.p.kill()
            raise

    def metrics(self, until):
        """Samples by name and labels, once there is one of this name."""
        end = time.time() + 60 * PATIENCE
        while True:
            text = self.get('/metrics')
            if until in text or time.time() > end:
                return text
            time.sleep(0.5)
