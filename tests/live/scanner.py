# SPDX-License-Identifier: Apache-2.0
"""Files that are scanned when they are closed after writing: by yara, by clamd, by commands that are slow, broken or write
files themselves; also what only its writer can see.  Needs root, yara and clamd."""
import atexit
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from simulated import Docker, start_many  # noqa: E402
from tap import PATIENCE, SAKER, TMP, check, equal, fails, file, run, saker, skip  # noqa: E402

RULES = '''
- rule: Harmful
  desc: a scanner says so
  condition: >
    evt.type = close and evt.is_close_write = true and evt.close_write.is_last = true and fd.name contains saker-scan-
  output: harmful %evt.close_write.verdict in %fd.name by %proc.name
  priority: CRITICAL
  tags: [scan]
- rule: Short
  desc: its output does not name the verdict
  condition: evt.type = close and evt.is_close_write = true and fd.name contains saker-short-
  output: short %fd.name
  priority: NOTICE
  tags: [scan]
- rule: Written
  desc: no scanner is asked of it
  condition: evt.type = close and evt.is_close_write = true and fd.name contains saker-mark-
  output: written %fd.name
  priority: INFO
'''
SIGNATURE = 'saker-test-signature'
YARA = f'rule Saker_Test {{ strings: $a = "{SIGNATURE}" condition: $a }}'


def _path(name):
    return os.path.join(TMP, name)


def _write(name, text):
    """By a program of its own; its path."""
    subprocess.run(['tee', _path(name)], input=text.encode(), stdout=subprocess.DEVNULL, check=True)
    return _path(name)


def _said():
    with open(_path('err')) as f:
        return f.read()


def _until(is_so, what):
    end = time.time() + 60 * PATIENCE
    while time.time() < end:
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(f'{what}: {_said()}')


class _Watch:
    def __init__(self, *args, runtimes=('--no-runtimes',)):
        self.out = open(file('out'), 'wb')
        self.p = subprocess.Popen([SAKER, 'run', *runtimes, '-r', file('rules.yaml', RULES), *args], stdout=self.out,
                                  stderr=open(file('err'), 'wb'))
        atexit.register(self.p.kill)  # for when a test fails
        self.until_marked('begin')

    def lines(self):
        with open(self.out.name) as f:
            return [line for line in f.read().split('\n')[:-1]]

    def until(self, *texts):
        end = time.time() + 60 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            if any(all(t in line for t in texts) for line in self.lines()):
                return
            time.sleep(0.05)
        raise AssertionError(f'no {texts} in {self.lines()[-5:]}; {self.end()}')

    def until_marked(self, name):
        """Files are written until that is told of."""
        end = time.time() + 60 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            _write(f'saker-mark-{name}', '')
            if any(f'saker-mark-{name}' in line for line in self.lines()):
                return
            time.sleep(0.1)
        raise AssertionError(f'it does not watch: {self.end()}')

    def end(self):
        self.p.send_signal(signal.SIGINT)
        self.p.wait(timeout=60 * PATIENCE)
        said = _said()
        equal(self.p.returncode, 0, said)
        check('refused the system call' not in said, said)
        return said


def _count(said, text):
    for line in said.splitlines():
        words = line.split()
        if line.endswith(text) and words[1].isdigit():
            return int(words[1])
    return 0


def _yara():
    if not shutil.which('yara'):
        skip('there is no yara')
    return ['--scanner-command', f'yara -w {file("rules.yar", YARA)} /dev/stdin', '--scanner-jobs', '1']


def what_yara_finds_is_an_alert_with_the_event():
    w = _Watch('-j', *_yara())
    _write('saker-scan-good', 'harmless\n')
    bad = _write('saker-scan-bad', f'x {SIGNATURE} y\n')
    w.until('saker-scan-bad')
    w.until_marked('all')
    said = w.end()
    alerts = [json.loads(x) for x in w.lines()]
    found = [a for a in alerts if a['rule'] == 'Harmful']
    equal([a['output_fields']['fd.name'] for a in found], [bad], said)
    check(f' harmful Saker_Test /dev/stdin in {bad} by tee' in found[0]['output'], found[0])
    equal(found[0]['output_fields']['evt.close_write.verdict'], 'Saker_Test /dev/stdin')
    equal(found[0]['saker']['scan_verdict'], 'Saker_Test /dev/stdin')
    equal((_count(said, 'clean'), _count(said, 'with something in it')), (1, 1), said)


def a_configuration_names_it_as_well():
    command = json.dumps(_yara()[1])
    conf = file('conf.yaml', f'saker: {{scanner: {{command: {command}, jobs: 1}}}}\n')
    w = _Watch('-c', conf)
    bad = _write('saker-short-bad', SIGNATURE)
    w.until(f'short {bad}', ' scan_verdict=Saker_Test /dev/stdin')
    w.end()
    both = file('both.yaml', f'saker: {{scanner: {{command: {command}, clamd: /nowhere}}}}\n')
    fails(saker('run', '--no-runtimes', '-c', both), 2, 'there can be one scanner, not two')


def as_text_the_verdict_is_there_too():
    w = _Watch(*_yara())
    bad = _write('saker-short-bad', SIGNATURE)
    w.until(f'short {bad}', ' scan_verdict=Saker_Test /dev/stdin')
    w.end()


def clamd_is_asked():
    """As a user that could not open the file."""
    if not shutil.which('clamd'):
        skip('there is no clamd')
    folder = tempfile.mkdtemp(prefix='saker-clamd-')  # its name must fit a socket's
    os.chmod(folder, 0o777)
    os.mkdir(f'{folder}/db', 0o755)
    with open(f'{folder}/db/test.ndb', 'w') as f:
        f.write(f'Saker.Test:0:*:{SIGNATURE.encode().hex()}\n')
    with open(f'{folder}/clamd.conf', 'w') as f:
        f.write(f'LocalSocket {folder}/socket\nDatabaseDirectory {folder}/db\nForeground yes\nUser clamav\n')
    clamd = subprocess.Popen(['clamd', f'--config-file={folder}/clamd.conf'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        end = time.time() + 120 * PATIENCE
        while not os.path.exists(f'{folder}/socket') and clamd.poll() is None and time.time() < end:
            time.sleep(0.1)
        check(clamd.poll() is None, 'clamd does not start')
        w = _Watch('-j', '--scanner-clamd', f'{folder}/socket', '--scanner-timeout', '60000')
        os.umask(0o077)
        _write('saker-scan-good', 'harmless\n')
        bad = _write('saker-scan-bad', SIGNATURE)
        w.until('saker-scan-bad')
        said = w.end()
    finally:
        os.umask(0o022)
        clamd.kill()
        clamd.communicate()
        shutil.rmtree(folder)
    found = [json.loads(x) for x in w.lines() if 'saker-scan-' in x]
    equal([(a['output_fields']['fd.name'], a['saker']['scan_verdict']) for a in found], [(bad, 'Saker.Test.UNOFFICIAL')], said)


def what_only_the_writer_sees_is_scanned():
    w = _Watch('-j', *_yara())
    hidden = _path('hidden')
    os.mkdir(hidden)
    script = f'mount -t tmpfs none {hidden}; echo {SIGNATURE} > {hidden}/saker-scan-own; read wait'
    p = subprocess.Popen(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script], stdin=subprocess.PIPE)
    try:
        w.until('saker-scan-own')
    finally:
        p.communicate(b'\n')
    check(not os.path.exists(f'{hidden}/saker-scan-own'))
    w.end()


def in_a_container_the_alert_waits_for_its_metadata_first():
    runtimes = ('--runtime-socket', f'docker={Docker("slow.sock", (100, 300)).path}', '--metadata-deadline', '10000')
    w = _Watch('-j', *_yara(), runtimes=runtimes)
    ids = start_many(3, 0x60000, f'echo {SIGNATURE} > {_path("saker-scan-in")}-$$')
    end = time.time() + 30 * PATIENCE
    while time.time() < end and sum('saker-scan-in' in x for x in w.lines()) < len(ids):
        time.sleep(0.05)
    said = w.end()
    found = [json.loads(x) for x in w.lines() if 'saker-scan-in' in x]
    equal(sorted((a['output_fields']['container.id'], a['output_fields']['container.name'], a['saker']['scan_verdict'])
                 for a in found), [(i, f'name-{i}', 'Saker_Test /dev/stdin') for i in ids], said)


def a_scanner_that_hangs_holds_nobody_up():
    pid = file('pid')
    w = _Watch('--scanner-command', f'echo $$ > {pid}; exec sleep 98765', '--scanner-timeout', '500', '--scanner-jobs', '1')
    _write('saker-scan-a', 'x')
    w.until_marked('meanwhile')
    _until(lambda: os.path.getsize(pid), 'it is not started')
    with open(pid) as f:
        process = f'/proc/{f.read().strip()}'
    _until(lambda: not os.path.exists(process), 'it is not ended')
    said = w.end()
    equal(_count(said, 'that took too long'), 1, said)


def limits_are_kept_and_counted():
    w = _Watch('--scanner-command', 'sleep 98764', '--scanner-max-size', '1K', '--scanner-jobs', '1', '--scanner-queue', '3')
    _write('saker-scan-large', 'x' * 2000)
    for n in range(5):
        _write(f'saker-scan-{n}', 'x')
    w.until_marked('all')
    said = w.end()
    equal(_count(said, 'that are too large'), 1, said)
    refused = int(said.split(' more found no place in the queue')[0].split()[-1])
    unfinished = _count(said, 'not done by the end')
    equal(unfinished + refused, 5, said)
    check(unfinished in (2, 3), said)  # the large one may have been in the queue still


def a_scanner_that_fails_is_told_of():
    w = _Watch('--scanner-command', 'exit 7')
    _write('saker-scan-a', 'x')
    _until(lambda: 'the scanner fails' in _said(), 'it is not told')
    said = w.end()
    check('the scanner fails or cannot be reached' in said, said)
    equal(_count(said, 'that the scanner could not tell of'), 1, said)


def what_the_scanner_writes_is_not_sent_round_in_a_circle():
    copy = _path('saker-scan-copy')
    w = _Watch('--scanner-command', f'cat > {copy}; echo found')
    _write('saker-scan-a', 'x')
    w.until('harmful found in', 'saker-scan-a')
    w.until_marked('all')
    said = w.end()
    check(', 1 were its own' in said, said)
    equal(sum('saker-scan-copy' in x for x in w.lines()), 0)


def options_that_make_no_sense_are_refused():
    for args in (('--scanner-command', 'x', '--scanner-clamd', '/x'), ('--scanner-clamd', '/' + 'x' * 200),
                 ('--scanner-command', ''), ('--scanner-command', 'x', '--scanner-jobs', '100')):
        fails(saker('run', '-d', '1', '-r', file('rules.yaml', RULES), *args), 2, 'scan')


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
lock = open(os.path.join(tempfile.gettempdir(), 'saker-live-test.lock'), 'w')
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except BlockingIOError:
        time.sleep(0.1)
run(globals())
