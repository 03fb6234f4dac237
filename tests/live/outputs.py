# SPDX-License-Identifier: Apache-2.0
"""Outputs of saker run, once it has given up privileges and most system calls."""
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, file, run, skip  # noqa: E402

RULES = file('rules.yaml', '''
- rule: Marked
  desc: d
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-outputs-mark
  output: marked %proc.args
  priority: WARNING
''')


def _path(name):
    return os.path.join(TMP, name)


def _text(name):
    try:
        with open(_path(name)) as f:
            return f.read()
    except FileNotFoundError:
        return ''


def _mark(n):
    subprocess.run(['/bin/true', f'saker-outputs-mark-{n}'], check=True)


def _until(good, *say):
    end = time.time() + 60 * PATIENCE
    while not good():
        check(time.time() < end, *say)
        time.sleep(0.02)


class _Run:
    def __init__(self, *options):
        if os.geteuid():
            skip('watching takes root')
        options = ('append_output=[]', *options)
        with open(_path('out'), 'w') as out, open(_path('err'), 'w') as err:
            self.p = subprocess.Popen([SAKER, 'run', '-r', RULES, *(x for o in options for x in ('-o', o))],
                                      stdout=out, stderr=err)

    def __enter__(self):
        try:
            def ready():
                check(self.p.poll() is None, _text('err'))
                _mark('ready')
                return 'mark-ready' in _text('out')
            _until(ready, 'it does not watch')
        except BaseException:
            self.p.kill()
            raise
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGINT)
        try:
            self.p.wait(60 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.p.kill()
            raise
        check('refused the system call' not in _text('err'), _text('err'))


def _marks(text):
    return re.findall(r'saker-outputs-mark-\d+', text)


def _several(first, n):
    for i in range(first, first + n):
        _mark(i)
    return [f'saker-outputs-mark-{i}' for i in range(first, first + n)]


class _Log(threading.Thread):
    """A log's socket, and what came in."""

    def __init__(self):
        super().__init__(daemon=True)
        self.got, self.ends = [], threading.Event()
        if os.path.exists(_path('log')):
            os.unlink(_path('log'))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(_path('log'))
        self.start()

    def run(self):
        last = False
        while not last:
            last = self.ends.is_set()
            while select.select([self.socket], [], [], 0.05)[0]:
                self.got.append(self.socket.recv(65536).decode())

    def end(self):
        self.ends.set()
        self.join()
        self.socket.close()
        os.unlink(_path('log'))
        return ''.join(x.split(': ', 1)[1] + '\n' for x in self.got)


def each_output_does_its_work_without_privileges():
    log = _Log()
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    with _Run('file_output.enabled=true', f'file_output.filename={_path("alerts")}', 'saker.file_output.max_size=100',
              'saker.file_output.max_files=1000', 'program_output.enabled=true',
              f'program_output.program=cat >> {_path("read")}', 'syslog_output.enabled=true',
              f'saker.syslog_output.path={_path("log")}', f'saker.outputs.spool.path={_path("spool")}',
              'webserver.enabled=true', f'webserver.listen_port={port}', 'webserver.prometheus_metrics_enabled=true',
              'metrics.enabled=true', 'syslog_output.enabled=true') as r:
        want = _several(1, 5)
        r.p.send_signal(signal.SIGUSR1)
        _until(lambda: _marks(_text('read'))[-5:] == want, _text('read'))
        want += _several(6, 3)
        _until(lambda: _marks(_text('read')) == want, _text('read'), _text('err'))

        def page():
            return subprocess.run(['curl', '-s', '--max-time', '20', f'http://127.0.0.1:{port}/metrics'],
                                  capture_output=True, text=True).stdout
        n = _text('out').count('\n')
        _until(lambda: f'saker_output_sent_total{{output="program"}} {n}\n' in page(), page())
        got = page()
    for row in ('saker_output_queue_alerts{output="file"} 0', f'saker_output_sent_total{{output="syslog"}} {n}',
                'saker_output_lost_total{output="file",cause="queue_full"} 0', 'saker_output_spool_bytes{output="file"} 0',
                'falcosecurity_falco_outputs_queue_num_drops_total 0'):
        check(row in got, row, [x for x in got.splitlines() if 'output' in x])
    equal(r.p.returncode, 0, _text('err'))
    names = sorted((x for x in os.listdir(TMP) if re.fullmatch(r'alerts\.\d+', x)), key=lambda x: -int(x[7:]))
    equal(''.join(_text(x) for x in names + ['alerts']), _text('out'))
    equal(log.end(), _text('out'))


def _kept():
    folder = _path('kept/syslog')
    return b''.join(open(f'{folder}/{x}', 'rb').read() for x in sorted(os.listdir(folder)) if x.endswith('.spool'))


def what_a_log_that_went_away_misses_it_gets_when_it_is_back():
    with _Run('syslog_output.enabled=true', f'saker.syslog_output.path={_path("log")}',
              f'saker.outputs.spool.path={_path("kept")}', 'saker.outputs.retry_max_ms=50') as r:
        _several(1, 20)
        _until(lambda: 'mark-20' in _text('out') and b'mark-20' in _kept())
        r.p.kill()
    before, log = _text('out'), _Log()
    with _Run('syslog_output.enabled=true', f'saker.syslog_output.path={_path("log")}',
              f'saker.outputs.spool.path={_path("kept")}'):
        _until(lambda: any('mark-20' in x for x in log.got), log.got)
    check(log.end().startswith(before), before, log.got)


run(globals())
