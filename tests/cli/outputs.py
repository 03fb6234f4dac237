# SPDX-License-Identifier: Apache-2.0
"""Where alerts go besides standard output: files, the system's log, programs; what is kept while they do not work."""
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

from tap import PATIENCE, SAKER, TMP, capture, check, done, equal, fails, file, run, saker, skip

FILES = capture('files.scap.gz')
RULES = file('rules.yaml', '''
- rule: Opened
  desc: all of it
  condition: evt.type in (open, openat)
  output: opened %evt.num %fd.name by %proc.name
  priority: NOTICE
  tags: [file, noisy]
- rule: Executed
  desc: programs
  condition: evt.type = execve and evt.rawres = 0
  output: ran %evt.num %proc.name
  priority: ERROR
''')


def _args(*options, stdout=False):
    options = (f'stdout_output.enabled={str(stdout).lower()}', *options)
    return ['replay', FILES, '-r', RULES, *(x for o in options for x in ('-o', o))]


def _replay(*options, **more):
    return saker(*_args(*options, **more), '--summary')


def _file_options(path, *more):
    return ('file_output.enabled=true', f'file_output.filename={path}', *more)


def _read(path):
    with open(path, 'rb') as f:
        return f.read()


def _fresh(name):
    path = os.path.join(TMP, name)
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    return path


ALL = done(_replay(stdout=True))
N_ALL = ALL.count(b'\n')


def a_file_gets_what_standard_output_would():
    check(N_ALL > 100, N_ALL)
    for keep_alive in ('true', 'false'):
        path = _fresh('alerts')
        out = done(_replay(*_file_options(path, f'file_output.keep_alive={keep_alive}')))
        equal(out, b'')
        equal(_read(path), ALL)
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)


def both_get_the_same_and_a_file_is_added_to():
    path = file('alerts', 'before\n')
    out = done(_replay(*_file_options(path, 'json_output=true'), stdout=True))
    equal(_read(path), b'before\n' + out)
    check(all('rule' in json.loads(x) for x in out.splitlines()))


def falco_writes_to_files_too():
    path = _fresh('alerts')
    config = file('falco.yaml', f'''
rules_files: [{RULES}]
stdout_output: {{enabled: false}}
file_output: {{enabled: true, keep_alive: false, filename: {path}}}
append_output: [{{suggested_output: true}}]
''')
    done(saker('falco', '-c', config, '-e', FILES))
    equal(_read(path), ALL)


def without_any_output_nothing_starts():
    fails(_replay(), 1, 'No output configured, please make sure at least one output is configured and enabled.')


def an_output_that_cannot_work_is_told_before_anything_starts():
    fails(_replay('file_output.enabled=true'), 1, 'file_output.enabled wants file_output.filename')
    fails(_replay(*_file_options('/nonexistent/x')), 1, '/nonexistent/x: No such file or directory')
    fails(_replay(*_file_options(TMP)), 1, 'Is a directory')
    fails(_replay('program_output.enabled=true'), 1, 'program_output.program')
    fails(_replay('syslog_output.enabled=true', f'saker.syslog_output.path={"x" * 200}'), 1, 'saker.syslog_output.path')
    fails(_replay(*_file_options(_fresh('alerts'), 'saker.outputs.spool.path=/nonexistent/spool/s')), 1,
          'saker.outputs.spool.path: /nonexistent/spool/s: No such file')


def a_file_is_rotated_by_its_size():
    path = _fresh('rotated')
    done(_replay(*_file_options(path, 'saker.file_output.max_size=4096', 'saker.file_output.max_files=1000')))
    names = [f'{path}.{n}' for n in range(1000, 0, -1) if os.path.exists(f'{path}.{n}')] + [path]
    check(len(names) > 3, names)
    equal(b''.join(_read(x) for x in names), ALL)
    check(all(os.path.getsize(x) <= 4096 for x in names))
    for x in names:
        os.unlink(x)


def only_so_many_old_files_are_kept():
    path = _fresh('rotated')
    done(_replay(*_file_options(path, 'saker.file_output.max_size=4096', 'saker.file_output.max_files=2')))
    equal(sorted(x for x in os.listdir(TMP) if x.startswith('rotated')), ['rotated', 'rotated.1', 'rotated.2'])
    check(ALL.endswith(b''.join(_read(path + x) for x in ('.2', '.1', ''))))


def more_alerts_than_the_rate_allows_go_nowhere_and_are_counted():
    path = _fresh('alerts')
    got = _replay(*_file_options(path, 'outputs.rate=0.000001', 'outputs.max_burst=7'), stdout=True)
    done(got)
    equal(got.stdout.count(b'\n'), 7)
    equal(_read(path), got.stdout)
    check(f'{N_ALL - 7} alerts were more than outputs.rate allows'.encode() in got.stderr, got.stderr)


def gathered_alerts_come_out_all_the_same():
    equal(done(_replay('buffered_outputs=true', stdout=True)), ALL)


# ---- a disk that is full ----

def _small_disk():
    path = _fresh('disk')
    os.mkdir(path)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'saker-test', path], capture_output=True).returncode:
        skip('mounting takes root')
    return path


def a_full_disk_loses_no_half_lines_and_what_is_lost_is_told():
    disk = _small_disk()
    try:
        got = _replay(*_file_options(f'{disk}/alerts', 'saker.outputs.drain_ms=300', 'json_output=true'))
        written = _read(f'{disk}/alerts')
    finally:
        subprocess.run(['umount', '-l', disk], check=True)
    fails(got, 1, 'No space left on device', 'alerts wait and are tried again')
    lost = sum(int(x) for x in re.findall(rb'file_output: (\d+) alerts lost', got.stderr))
    check(all(json.loads(x)['rule'] for x in written.splitlines()) and written.endswith(b'\n'), written[-200:])
    equal(written.count(b'\n') + lost, N_ALL)
    check(lost > 10, lost)


def a_full_disk_under_the_spool_loses_no_more_than_it_says():
    disk = _small_disk()
    fifo = _fifo()
    try:
        got = _replay(*_file_options(fifo, f'saker.outputs.spool.path={disk}/spool', 'saker.outputs.drain_ms=300',
                                     'json_output=true', 'saker.outputs.retry_max_ms=50'))
        fails(got, 1, 'nothing can be put on disk (No space left on device)')
        said = _replay_to(fifo, f'{disk}/spool')[1]
    finally:
        subprocess.run(['umount', '-l', disk], check=True)
    lost = sum(int(x) for x in re.findall(rb'file_output: (\d+) alerts lost', got.stderr))
    kept = re.search(rb'(\d+) alerts wait on disk', said)
    check(kept and int(kept[1]) > 10 and lost > 10, lost, said, got.stderr)


# ---- a receiver that is away: a pipe that nobody reads ----

def _fifo():
    path = _fresh('fifo')
    os.mkfifo(path)
    return path


def _empty():
    """Rules that match nothing: a run that only passes on what is on disk."""
    return file('empty.yaml', '- rule: N\n  desc: d\n  condition: evt.type = execve and proc.name = none-such\n'
                              '  output: o\n  priority: INFO\n')


def _replay_to(fifo, spool, rules=None):
    args = ['replay', FILES, '-r', rules or _empty(), '--summary', *(x for o in (
        'stdout_output.enabled=false', *_file_options(fifo), f'saker.outputs.spool.path={spool}',
        'saker.outputs.drain_ms=300', 'saker.outputs.retry_max_ms=50') for x in ('-o', o))]
    got = saker(*args)
    return got.returncode, got.stderr


class _Reader(threading.Thread):
    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.data = path, b''
        self.stop = threading.Event()
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.start()

    def run(self):
        while True:
            last = self.stop.is_set()
            if select.select([self.fd], [], [], 0.05)[0]:
                data = os.read(self.fd, 65536)
                self.data += data
                if data:
                    continue
                time.sleep(0.01)
            if last:
                return

    def end(self):
        self.stop.set()
        self.join()
        os.close(self.fd)
        return self.data


def what_waits_on_disk_is_passed_on_at_the_next_start():
    fifo, spool = _fifo(), _fresh('spool')
    equal(_replay_to(fifo, spool, RULES)[0], 0)
    status, said = _replay_to(fifo, spool, RULES)
    equal(status, 0, said)
    check(f'{2 * N_ALL} alerts wait on disk for the next start'.encode() in said, said)
    equal(stat.S_IMODE(os.stat(spool).st_mode), 0o700)
    reader = _Reader(fifo)
    status, said = _replay_to(fifo, spool)
    equal(status, 0, said)
    equal(reader.end(), ALL + ALL)
    equal([x for x in os.listdir(f'{spool}/file') if x.endswith('.spool')], [])


def a_spool_is_bounded_and_says_what_it_dropped():
    fifo, spool = _fifo(), _fresh('spool')
    args = _args(*_file_options(fifo, f'saker.outputs.spool.path={spool}', 'saker.outputs.spool.max_size=1M',
                                'json_output=true'))
    dropped = 0
    for _ in range(1 + (3 << 20) // (N_ALL * 500)):
        got = saker(*args, '--summary')
        done(got)
        dropped += sum(int(x) for x in re.findall(rb'file_output: (\d+) alerts lost: spool full', got.stderr))
    check(dropped, got.stderr)
    check(sum(os.path.getsize(f'{spool}/file/{x}') for x in os.listdir(f'{spool}/file')) <= (1 << 20) + 64)


def a_spool_is_of_one_saker_at_a_time():
    fifo, spool = _fifo(), _fresh('spool')
    holder = subprocess.Popen([SAKER, 'replay', '-', *_args(*_file_options(fifo, f'saker.outputs.spool.path={spool}'))[2:]],
                              stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    end = time.time() + 30 * PATIENCE
    while not os.path.exists(f'{spool}/sequence'):
        check(time.time() < end)
        time.sleep(0.02)
    status, said = _replay_to(fifo, spool, RULES)
    equal(status, 1)
    check(b'another Saker has it' in said, said)
    holder.kill()
    holder.communicate()


def killed_it_loses_no_more_than_was_in_memory_and_repeats_no_more_than_a_batch():
    fifo, spool = _fifo(), _fresh('spool')
    args = [SAKER, 'replay', FILES, '-r', RULES, *(x for o in (
        'stdout_output.enabled=false', *_file_options(fifo), f'saker.outputs.spool.path={spool}',
        'saker.outputs.queue_memory=64K', 'saker.outputs.drain_ms=60000', 'saker.outputs.retry_max_ms=20')
        for x in ('-o', o))]
    got = b''
    for attempt in range(8):
        reader = _Reader(fifo) if attempt % 2 else None
        child = subprocess.Popen(args, stderr=subprocess.DEVNULL)
        time.sleep(0.05 + 0.02 * attempt)
        child.kill()
        child.wait()
        if reader:
            got += reader.end().rpartition(b'\n')[0] + b'\n'
    reader = _Reader(fifo)
    status, said = _replay_to(fifo, spool)
    equal(status, 0, said)
    got += reader.end()
    lines, known = got.splitlines(), set(ALL.splitlines())
    check(not [x for x in lines if x and x not in known], [x for x in lines if x and x not in known][:3])
    equal([x for x in os.listdir(f'{spool}/file') if x.endswith('.spool')], [])


def numbers_of_alerts_go_on_after_a_restart():
    fifo, spool = _fifo(), _fresh('spool')
    for n in (1, 2):
        equal(_replay_to(fifo, spool, RULES)[0], 0)
        equal(int.from_bytes(_read(f'{spool}/sequence')[48:56], 'little'), n * N_ALL)


# ---- programs ----

def _program_options(command, *more):
    return ('program_output.enabled=true', f'program_output.program={command}', *more)


def _until(good, what):
    end = time.time() + 60 * PATIENCE
    while not good():
        check(time.time() < end, what())
        time.sleep(0.02)


def a_program_that_stays_reads_all():
    path = _fresh('got')
    done(_replay(*_program_options(f'cat > {path}.new; mv {path}.new {path}', 'program_output.keep_alive=true')))
    _until(lambda: os.path.exists(path), lambda: os.listdir(TMP))
    equal(_read(path), ALL)


FEW = ('outputs.rate=0.000001', 'outputs.max_burst=20')


def a_program_is_started_for_each_alert():
    path = _fresh('got')
    done(_replay(*_program_options(f'echo start >> {path}; cat >> {path}', *FEW)))
    lines = ALL.splitlines(True)[:20]
    equal(_read(path), b''.join(b'start\n' + x for x in lines))


def a_program_that_ends_is_started_again():
    path = _fresh('got')
    got = _replay(*_program_options(f'head -c 2000 | head -n 1 >> {path}; exec <&-', 'program_output.keep_alive=true',
                                    'json_output=true', 'saker.outputs.retry_max_ms=10', 'saker.outputs.drain_ms=20000'))
    check(got.returncode in (0, 1), got.returncode, got.stderr)
    _until(lambda: os.path.exists(path) and _read(path).count(b'\n') >= 2, lambda: got.stderr)
    check(b'program_output: alerts wait and are tried again (program_output.program: it has ended' in got.stderr,
          got.stderr)


def a_program_that_is_not_there_takes_nothing():
    got = _replay(*_program_options('/nonexistent/program', 'saker.outputs.drain_ms=300', *FEW))
    fails(got, 0, 'the shell cannot start it (status 127)', '20 alerts lost: not passed on before the end')


def a_program_that_does_not_read_holds_up_nothing_else():
    path = _fresh('alerts')
    got = _replay(*_program_options('exec sleep 30', 'program_output.keep_alive=true', 'output_timeout=200',
                                    'saker.outputs.queue_memory=64K', 'saker.outputs.drain_ms=200'),
                  *_file_options(path))
    equal(_read(path), ALL)
    check(got.returncode in (0, 1), got.stderr)


# ---- the system's log ----

SYSLOG = re.compile(rb'<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d falco\[\d+\]: (.*)', re.S)


def the_log_gets_each_alert_with_its_severity():
    path = _fresh('log')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        got = []
        end = threading.Event()

        def read():
            while select.select([s], [], [], 0.1)[0] or not end.is_set():
                if select.select([s], [], [], 0)[0]:
                    got.append(s.recv(1 << 20))
        t = threading.Thread(target=read)
        t.start()
        done(_replay('syslog_output.enabled=true', f'saker.syslog_output.path={path}'))
        end.set()
        t.join()
    found = [SYSLOG.fullmatch(x) for x in got]
    check(all(found), got[:2])
    equal(b''.join(x[2] + b'\n' for x in found), ALL)
    equal({int(x[1]) for x in found if b': Error ran' in x[2]}, {8 + 3})
    equal({int(x[1]) for x in found if b': Notice opened' in x[2]}, {8 + 5})


def a_log_that_is_away_is_tried_again():
    got = _replay('syslog_output.enabled=true', f'saker.syslog_output.path={_fresh("log")}', *FEW,
                  'saker.outputs.drain_ms=60000')
    fails(got, 0, 'syslog_output: alerts wait and are tried again', 'No such file or directory',
          '20 alerts lost: not passed on before the end')


def a_real_log_daemon_writes_them_down():
    daemon = shutil.which('rsyslogd', path=os.environ['PATH'] + ':/usr/sbin')
    if not daemon:
        skip('there is no rsyslogd')
    path, log = _fresh('log'), _fresh('written')
    config = file('rsyslog.conf', f'''
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{path}" RateLimit.Interval="0")
template(name="t" type="string" string="%syslogfacility-text%.%syslogseverity-text% %programname%:%msg%\\n")
*.* action(type="omfile" file="{log}" template="t")
''')
    child = subprocess.Popen([daemon, '-n', '-f', config, '-i', _fresh('pid')], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    try:
        _until(lambda: os.path.exists(path) or child.poll() is not None, lambda: 'no socket')
        check(child.poll() is None, child.stdout.read() if child.poll() is not None else '')
        done(_replay('syslog_output.enabled=true', f'saker.syslog_output.path={path}'))
        _until(lambda: os.path.exists(log) and _read(log).count(b' falco: ') >= N_ALL, lambda: _read(log)[-300:])
    finally:
        child.terminate()
        child.communicate()
    lines = [x for x in _read(log).splitlines() if b' falco: ' in x]
    equal([x.partition(b' falco: ')[2] for x in lines], ALL.splitlines())
    equal({x.split()[0] for x in lines}, {b'user.err', b'user.notice'})


run(globals())
