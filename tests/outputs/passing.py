# SPDX-License-Identifier: Apache-2.0
"""One sender, asked directly (passon.c)."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../cli'))
import tap  # noqa: E402

PASSON = os.environ.get('PASSON', f'{tap.SOURCE}/build/tests/outputs/passon')


class Sender:
    """With a configuration, as JSON, which is YAML."""

    def __init__(self, kind, config):
        path = tap.file('passon.yaml', json.dumps(config))
        self.said = []
        self.p = subprocess.Popen([PASSON, kind, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, bufsize=1)
        self.opened = self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _answer(self):
        """What is not an answer is what the sender itself printed."""
        while True:
            line = self.p.stdout.readline()
            tap.check(line, 'it ended:', self.p.stderr.read() if not line else '')
            if line.startswith('{"outcome"'):
                return json.loads(line)
            self.said.append(line)

    def send(self, n=1, form='json', size=0):
        self.p.stdin.write(f'send {n} {form} {size}\n')
        return self._answer()

    def reopen(self):
        self.p.stdin.write('reopen\n')

    def close(self):
        out, err = self.p.communicate(timeout=120 * tap.PATIENCE)
        tap.equal(self.p.returncode, 0 if self.opened['outcome'] == 'OPEN' else 1, err)
        tap.equal(err, '', 'standard error')


def is_sent(answer, n=1):
    tap.equal((answer['outcome'], answer['n_done'], answer['error']), ('SENT', n, ''), answer)


def is_later(answer, *texts):
    tap.equal((answer['outcome'], answer['n_done']), ('SENT_LATER', 0), answer)
    for text in texts:
        tap.check(text in answer['error'], repr(text), 'is not in', answer)


def is_refused(answer, n_done=0, *texts):
    tap.equal((answer['outcome'], answer['n_done']), ('SENT_REFUSED', n_done), answer)
    for text in texts:
        tap.check(text in answer['error'], repr(text), 'is not in', answer)


def does_not_open(kind, config, *texts):
    with Sender(kind, config) as s:
        tap.equal(s.opened['outcome'], 'NOT_OPEN')
        for text in texts:
            tap.check(text in s.opened['error'], repr(text), 'is not in', s.opened)
