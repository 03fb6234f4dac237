# SPDX-License-Identifier: Apache-2.0
"""saker record: the command it runs, the file it writes, and being stopped at any time."""
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from recorder import mark, shows, until_it_records  # noqa: E402
from tap import PATIENCE, SAKER, TMP, check, done, equal, fails, file, run, saker  # noqa: E402

CAPTURE = os.path.join(TMP, 'r.scap')


def _count(path):
    return int(done(saker('print', path, '--count')))


def _recorder(*args):
    """saker record once it writes."""
    if os.path.exists(CAPTURE):
        os.unlink(CAPTURE)
    p = subprocess.Popen([SAKER, 'record', CAPTURE, *args], stderr=subprocess.PIPE)
    until_it_records(p, CAPTURE)
    return p


def _is_running(mark):
    return subprocess.run(['pgrep', '-f', mark], stdout=subprocess.DEVNULL).returncode == 0


def it_ends_as_its_command_did():
    for command, status in (('exit 7', 7), ('kill -9 $$', 137)):
        equal(saker('record', CAPTURE, '--', 'sh', '-c', command).returncode, status, command)
        check(_count(CAPTURE) > 0)


def its_command_is_ended_by_a_broken_pipe_as_usual():
    equal(saker('record', CAPTURE, '--', 'bash', '-c', 'yes | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}').returncode, 141)


def a_command_that_cannot_be_started_is_told_as_shells_do():
    fails(saker('record', CAPTURE, '--', '/nonexistent'), 127, 'No such file')
    check(_count(CAPTURE) > 0)
    fails(saker('record', CAPTURE, '--', file('plain', 'x')), 126, 'Permission denied')


def what_the_command_prints_is_not_mixed_into_the_capture():
    p = saker('record', '-', '--', 'echo', 'hello from the command')
    done(p)
    check(b'hello from the command\n' in p.stderr, p.stderr)
    check(int(done(saker('print', '-', '--count', stdin=p.stdout))) > 0)


def the_command_ends_with_the_recording():
    done(saker('record', CAPTURE, '--duration', '1', '--', 'sleep', '98765.5'))
    end = time.time() + 10 * PATIENCE
    while _is_running('sleep 98765.5') and time.time() < end:
        time.sleep(0.05)
    check(not _is_running('sleep 98765.5'))


def a_terminal_that_goes_away_ends_it_in_order():
    p = _recorder()
    p.send_signal(signal.SIGHUP)
    p.send_signal(signal.SIGHUP)
    said = p.communicate(timeout=30 * PATIENCE)[1].decode()
    equal(p.returncode, 0, said)
    check(' events in ' in said, said)
    check(_count(CAPTURE) > 0)


def one_that_is_killed_leaves_what_happened_before():
    for args in ((), ('--compress',)):
        p = _recorder(*args)
        mark('before')
        end = time.time() + 30 * PATIENCE
        while not shows(CAPTURE, 'before'):
            check(time.time() < end, 'it keeps it to itself')
            time.sleep(0.5)
            mark('before')
        p.kill()
        p.communicate(timeout=30 * PATIENCE)
        check(shows(CAPTURE, 'before'))


def through_a_pipe_events_are_seen_as_they_come():
    for args in ((), ('--compress',)):
        p = subprocess.Popen([SAKER, 'record', '-', '--filter', 'evt.type = execve', *args], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        out = file('shown')
        with open(out, 'wb') as f:
            shown = subprocess.Popen([SAKER, 'print', '-', '--format', '%proc.args'], stdin=p.stdout, stdout=f)
        p.stdout.close()
        for name, often in (('first', True), ('second', False)):
            end = time.time() + 30 * PATIENCE
            mark(name)
            while f'mark-{name}' not in open(out).read():
                check(time.time() < end and p.poll() is None, f'{name} is not shown')
                time.sleep(0.1)
                if often:  # for it may not have been watching
                    mark(name)
        p.send_signal(signal.SIGINT)
        said = p.communicate(timeout=30 * PATIENCE)[1]
        equal(p.returncode, 0, said)
        equal(shown.wait(30 * PATIENCE), 0)


def with_a_filter_notes_of_names_go_with_their_events_alone():
    """Each call here has one that says where its file is, which is of use to nobody else."""
    path, wanted = os.path.join(TMP, 'named.scap'), os.path.join(TMP, 'wanted')
    act = 'import os, sys; os.mkdir(sys.argv[1]); [(os.mkdir(sys.argv[2]), os.rmdir(sys.argv[2])) for _ in range(50)]'
    done(saker('record', path, '--no-runtimes', '--filter', f'evt.type = mkdir and fs.path.name = {wanted}', '--', sys.executable, '-c', act,
               wanted, os.path.join(TMP, 'other')))
    with open(path, 'rb') as f:
        equal(f.read().count(b'saker.place\0' + struct.pack('<q', -2)), 1)
    told = done(saker('print', path, '--format', '%fs.path.name %fs.path.host')).decode()
    check(told.startswith(f'{wanted} ') and told.rstrip().endswith('/wanted'), told)


def _until_it_minds(p, sig):
    """Before that, the signal is the end of any program."""
    def caught():
        with open(f'/proc/{p.pid}/status') as f:
            return int(re.search(r'SigCgt:\s*(\w+)', f.read())[1], 16) >> sig - 1 & 1
    while p.poll() is None and not caught():
        time.sleep(0.001)


def stopped_while_it_starts_it_leaves_what_can_be_read():
    for wait in (0.1, 0.5, 2):
        if os.path.exists(CAPTURE):
            os.unlink(CAPTURE)
        p = subprocess.Popen([SAKER, 'record', CAPTURE, '--', 'touch', CAPTURE + '.made'], stderr=subprocess.PIPE)
        time.sleep(wait)
        _until_it_minds(p, signal.SIGINT)
        p.send_signal(signal.SIGINT)
        said = p.communicate(timeout=90 * PATIENCE)[1]  # programs that are being loaded are loaded to the end
        equal(p.returncode, 0, said)
        check(b'nterrupt' not in said, said)
        if os.path.exists(CAPTURE):
            _count(CAPTURE)


def a_file_has_one_recorder():
    p = _recorder()
    before = os.path.getsize(CAPTURE)
    fails(saker('record', CAPTURE, '--duration', '1'), 1, 'another program is writing to it')
    check(os.path.getsize(CAPTURE) >= before)
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30 * PATIENCE)
    _count(CAPTURE)


def a_file_that_cannot_be_is_told_before_anything_is_loaded():
    p = saker('record', '/nonexistent/x.scap', '--duration', '1')
    fails(p, 1, 'No such file')
    check(b'watching' not in p.stderr, p.stderr)


def what_is_there_stays_when_nothing_can_be_watched():
    path = file('old.scap', 'old')
    os.chmod(path, 0o666)
    nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', SAKER, 'record', '--duration', '1']
    fails(subprocess.run([*nobody, path], capture_output=True), 1, 'CAP_BPF')
    equal(open(path).read(), 'old')
    os.mkdir(os.path.join(TMP, 'open'))
    os.chmod(os.path.join(TMP, 'open'), 0o777)
    fails(subprocess.run([*nobody, os.path.join(TMP, 'open', 'new.scap')], capture_output=True), 1, 'CAP_BPF')
    equal(os.listdir(os.path.join(TMP, 'open')), [])


def few_open_files_are_an_error_at_once():
    def hard():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    start = time.time()
    p = subprocess.run([SAKER, 'run', '--duration', '1'], capture_output=True, preexec_fn=hard)
    fails(p, 1, 'too many open files; raise ulimit -n to ')
    check(b'refuses' not in p.stderr and b'memory' not in p.stderr, p.stderr)
    check(time.time() - start < 10 * PATIENCE)


def a_low_soft_limit_of_open_files_is_raised_but_not_for_the_command():
    def soft():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    p = subprocess.run([SAKER, 'record', CAPTURE, '--', 'sh', '-c', 'ulimit -n'], capture_output=True, preexec_fn=soft)
    equal(done(p), b'100\n')


def a_limit_of_file_size_is_an_error():
    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    p = subprocess.run([SAKER, 'record', os.path.join(TMP, 'big.scap'), '--duration', '2'], capture_output=True,
                       preexec_fn=small)
    fails(p, 1, 'big.scap: File too large')


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
run(globals())
