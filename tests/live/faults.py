#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What programs and machines do at their worst: nothing crashes, hangs, or is told of the wrong one.

The first argument is the program that behaves badly (actor.c).  SAKER_FAULTS=long: at full size.
"""
import atexit
import collections
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, fails, file, run  # noqa: E402

LONG = os.environ.get('SAKER_FAULTS') == 'long'
ACTOR = os.path.abspath(sys.argv[1])
DIR = os.path.join(TMP, 'saker-faults')
FIELDS = ('evt.type evt.rawtime fd.name fd.ino proc.name proc.pid proc.cmdline proc.exe proc.exepath proc.cwd proc.pname '
          'proc.ppid user.uid thread.tid proc.vpid saker.lossy').split()
RULES = f'''
- rule: Opened
  desc: a file of ours
  condition: >
    evt.type in (open, openat, openat2, creat) and evt.rawres >= 0 and
    (fd.name contains saker-faults or evt.arg.name contains saker-faults)
  output: opened {' '.join('%' + x for x in FIELDS)}
  priority: INFO
- rule: Tried
  desc: a file of ours that is not there
  condition: evt.type in (open, openat, openat2, creat) and evt.rawres < 0 and fd.name contains saker-faults
  output: tried {' '.join('%' + x for x in FIELDS)}
  priority: INFO
- rule: Started
  desc: a program of ours
  condition: evt.type in (execve, execveat) and evt.rawres = 0 and proc.args contains saker-faults
  output: started {' '.join('%' + x for x in FIELDS)}
  priority: INFO
- rule: Counted
  desc: a call that nobody else makes
  condition: evt.type = munlockall
  output: counted {' '.join('%' + x for x in FIELDS)}
  priority: DEBUG
'''


RULES_FILE = file('rules.yaml', RULES)


class _Watch:
    """saker run beside the test."""

    n = 0

    def __init__(self, *args, stdout=None, before=()):
        _Watch.n += 1
        self.path = file(f'out{_Watch.n}')
        self.p = subprocess.Popen([*before, SAKER, 'run', '--json', '-r', RULES_FILE, *args],
                                  stdout=stdout or open(self.path, 'wb'), stderr=subprocess.PIPE)
        atexit.register(self.p.kill)

    def ready(self):
        said = b''
        for line in self.p.stderr:
            said += line
            if b'watching ' in line:
                break
        check(self.p.poll() is None, 'it does not watch:', self.p.returncode, said)
        return self

    def bytes(self):
        """As far as lines are complete."""
        with open(self.path, 'rb') as f:
            text = f.read()
        return text[:text.rfind(b'\n') + 1]

    def alerts(self):
        return [json.loads(x) for x in self.bytes().decode().splitlines()]

    def of(self, name, rule='Opened'):
        """The fields of alerts about files whose name has this in it, once a last one has come."""
        n, end, mark = 0, time.time() + 60 * PATIENCE, f'{DIR}/mark{time.time_ns()}'
        while mark.encode() not in self.bytes():
            check(time.time() < end and self.p.poll() is None, 'no alert any more')
            if n % 10 == 0:  # where events are being lost one mark may not do
                open(mark, 'w').close()
            n += 1
            time.sleep(0.02)
        found = [x['output_fields'] for x in self.alerts() if x['rule'] == rule]
        return [x for x in found if name in (x['fd.name'] or '') + (x['proc.cmdline'] or '')]

    def end(self, how=signal.SIGINT):
        if how:
            self.p.send_signal(how)
        said = self.p.communicate(timeout=60 * PATIENCE)[1].decode()
        equal(self.p.returncode, 0, said)
        return said


_watching = []


def _watch():
    """The one that most tests share."""
    if not _watching:
        _watching.append(_Watch('--ring-size', '16M'))
        _watching[0].ready().of('mark')
    return _watching[0]


def _path(name, content='x'):
    path = os.path.join(DIR, name)
    with open(path, 'w') as f:
        f.write(content)
    return path


def _act(*args, **more):
    return subprocess.run([ACTOR, *map(str, args)], check=True, stdout=subprocess.PIPE, **more).stdout


def _number(said, pattern):
    found = re.search(rf'(\d+) {pattern}', said)
    return int(found[1]) if found else 0


# ---- memory that is not what it was ----

def a_name_that_is_gone_or_changed_by_the_end_of_the_call_is_the_one_of_what_was_opened():
    w, other = _watch(), _path('innocent')
    for how in ('unmap', 'drop', 'protect', 'change'):
        fifo = os.path.join(DIR, 'fifo-' + how)
        os.mkfifo(fifo)
        _act('late', fifo, how, other)
        seen = collections.Counter((x['fd.name'], x['fd.ino']) for x in w.of('saker-faults') if x['proc.name'] == 'actor')
        equal(seen[fifo, os.stat(fifo).st_ino], 2, how, seen)
    check(not [x for x in w.of('innocent') if x['proc.name'] == 'actor' and x['fd.name'] == other])


def of_names_that_another_thread_keeps_changing_the_file_is_still_right():
    w, n, seen = _watch(), 0, []
    inode = {os.stat(p).st_ino: p for p in (_path('flip-a'), _path('flip-b'))}
    while {x['fd.ino'] for x in seen} != set(inode):  # on a busy machine the other thread may have no CPU meanwhile
        check(n < 60000, 'always the same file')
        _act('flip', f'{DIR}/flip-a', 3000)
        n += 3000
        seen = [x for x in w.of('flip-') if x['proc.name'] == 'actor' and x['evt.type'] == 'openat']
        equal(len(seen), n)
    # Between two looks at the memory it can be anything: the name is a claim, the inode is not.
    print(f'# {len([x for x in seen if x["fd.name"] != inode[x["fd.ino"]]])} of {n} under the name of the other')


def a_name_in_a_page_that_is_not_there_yet_is_seen():
    w, cold = _watch(), _path('cold')
    _act('cold', _path('cold-name', cold))
    equal(len([x for x in w.of('cold') if x['fd.name'] == cold and x['proc.name'] == 'actor']), 1)


def addresses_where_nothing_is_do_no_harm():
    w, after = _watch(), _path('after-bad')
    _act('bad', after)
    equal(len([x for x in w.of('after-bad') if x['proc.name'] == 'actor' and x['fd.name'] == after]), 1)


# ---- names ----

def long_paths_keep_their_process_and_file():
    w = _watch()
    at, parts = os.open(DIR, os.O_PATH), 0
    for i in range(25):
        os.mkdir('d' * 200 + str(i), dir_fd=at)
        below = os.open('d' * 200 + str(i), os.O_PATH, dir_fd=at)
        os.close(at)
        at, parts = below, parts + 1
    fd = os.open('deep-saker-faults', os.O_CREAT | os.O_WRONLY, dir_fd=at)
    inode = os.fstat(fd).st_ino
    os.close(fd)
    seen = [x for x in w.of('deep-saker-faults') if x['fd.ino'] == inode]
    equal(len(seen), 1)
    equal(seen[0]['proc.pid'], os.getpid())
    for n, errno in ((255, None), (256, 36)):
        name = f'{DIR}/' + 'n' * n
        try:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            check(errno is None, n)
        except OSError as e:
            equal(e.errno, errno, n)
        rule = 'Opened' if errno is None else 'Tried'
        equal(len([x for x in w.of('nnnn', rule) if x['fd.name'] == name]), 1, n)
    for n in (4094, 4095, 4096, 5000):  # with the NUL of it 4096 is the kernel's limit
        path = DIR + '/' * (n - len(DIR) - 4) + f'{n:04}'
        _path(f'{n:04}')
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError as e:
            equal((e.errno, n > 4095), (36, True), n)
    for n in (4094, 4095):
        seen = [x['fd.name'] for x in w.of('') if x['fd.ino'] == os.stat(f'{DIR}/{n:04}').st_ino]
        equal(seen, [f'{DIR}/{n:04}', '/DIR_TOO_LONG/FILENAME_TOO_LONG'], n)


def two_megabytes_of_arguments_and_environment_do():
    w, path = _watch(), _path('huge')
    args = ['saker-faults-huge'] + ['a' * 100000] * 10
    _act('brief', path, 1, *args, env={f'E{i}': 'e' * 100000 for i in range(9)})
    started = [x for x in w.of('brief', 'Started') if path in x['proc.cmdline']]
    equal(len(started), 1)
    check(started[0]['proc.cmdline'].startswith(f'actor brief {path} 1 saker-faults-huge aaaa'), started)
    opened = [x for x in w.of('huge') if x['fd.name'] == path and x['proc.name'] == 'actor']
    equal(len(opened), 1)
    equal(opened[0]['proc.pname'], 'actor')
    many = ['m'] * 100000
    _act('brief', path, 1, *many)
    equal(len([x for x in w.of('brief', 'Started') if x['proc.cmdline'].rstrip().endswith(' m m m m m')]), 1)


def overwritten_arguments_are_what_the_program_was_started_with():
    w, path = _watch(), _path('title')
    _act('title', path, '/usr/sbin/innocent -D', env={'SPACE': 'x' * 500})
    seen = [x for x in w.of('title') if x['proc.name'] == 'actor' and x['fd.name'] == path]
    equal(len(seen), 2)
    for x in seen:
        equal(x['proc.cmdline'], f'actor title {path} /usr/sbin/innocent -D', x)
        equal(x['proc.exepath'], ACTOR)


ODD = (b'new\nline', b'tab\there', b'\x1b[2J\x1b[31mred', b'\xff\xfe\x80', b'\xc3', b'\xe2\x82', b'\xed\xa0\x80', b'quote"\\',
       b'\x7f\x01\x08', b'%proc.name%s%n', b'\xc2\x9b2J', b'\xf4\x90\x80\x80')


def odd_names_of_files_programs_and_arguments_come_as_one_line_each():
    w = _watch()
    for i, odd in enumerate(ODD):
        path = os.path.join(DIR.encode(), b'odd%02d-' % i + odd)
        open(path, 'w').close()
        subprocess.run([ACTOR.encode(), b'name', odd, path], check=True)
    for i, odd in enumerate(ODD):
        seen = [x for x in w.of(f'/odd{i:02}-') if x['evt.type'] == 'openat']
        equal(len(seen), 2, odd, seen)
        ino = os.stat(os.path.join(DIR.encode(), b'odd%02d-' % i + odd)).st_ino
        check(all(x['fd.ino'] == ino for x in seen), odd)
    raw = w.bytes()
    bad = [b for b in raw if b < 32 and b != 10 or b == 127]
    equal(bad, [], 'control characters')
    raw.decode()
    equal(len(w.alerts()), raw.count(b'\n'))


def text_alerts_carry_no_escape_sequences():
    out = open(file('text'), 'wb')
    p = subprocess.Popen([SAKER, 'run', '-r', RULES_FILE], stdout=out, stderr=subprocess.PIPE)
    for line in p.stderr:
        if b'watching ' in line:
            break
    for i, odd in enumerate(ODD):
        path = os.path.join(DIR.encode(), b'txt%02d-' % i + odd)
        open(path, 'w').close()
        subprocess.run([ACTOR.encode(), b'name', odd, path], check=True)
    end = time.time() + 20 * PATIENCE
    while time.time() < end and b'txt%02d' % (len(ODD) - 1) not in open(out.name, 'rb').read():
        time.sleep(0.05)
    time.sleep(0.2)
    p.send_signal(signal.SIGINT)
    equal(p.wait(30 * PATIENCE), 0)
    p.stderr.close()
    lines = open(out.name, 'rb').read().split(b'\n')[:-1]
    for line in lines:
        check(re.match(rb'\d\d:\d\d:\d\d\.\d{9}: (Informational|Debug) (opened|started|counted|tried) ', line), line)
        check(not re.search(rb'[\x00-\x1f\x7f]', line), line)


# ---- who did it ----

def each_of_two_hundred_at_once_is_told_of_as_itself():
    w, n, running = _watch(), 200, []
    for i in range(n):
        folder = f'{DIR}/cwd{i:03}'
        os.mkdir(folder)
        os.symlink(ACTOR, f'{DIR}/parent{i:03}')
        os.symlink(ACTOR, f'{DIR}/child{i:03}')
        _path(f'file{i:03}')
    os.chmod(TMP, 0o755)
    for i in range(n):
        running.append(subprocess.Popen([f'{DIR}/parent{i:03}', 'family', f'{DIR}/cwd{i:03}', str(20000 + i),
                                         f'{DIR}/child{i:03}', 'who', f'{DIR}/file{i:03}', f'own-{i}'],
                                        stdout=subprocess.PIPE))
    told = [p.communicate()[0].decode().rstrip('\n').split('\t') for p in running]
    seen = {x['fd.name']: x for x in w.of('/file') if x['proc.name'].startswith('child')}
    equal(len(seen), n)
    for i, (pid, name, cmdline, cwd, parent, uid, path) in enumerate(told):
        x = seen[path]
        equal((name, parent, uid), (f'child{i:03}', f'parent{i:03}', str(20000 + i)))
        equal({k: str(x[k]) for k in ('proc.pid', 'proc.name', 'proc.pname', 'user.uid', 'proc.ppid', 'proc.exepath')},
              {'proc.pid': pid, 'proc.name': name, 'proc.pname': parent, 'user.uid': uid,
               'proc.ppid': str(running[i].pid), 'proc.exepath': ACTOR})
        equal(x['proc.cwd'].rstrip('/'), cwd)
        equal(x['proc.cmdline'], ' '.join([name, *cmdline.split(' ')[1:]]))
        equal(x['fd.ino'], os.stat(path).st_ino)


def a_process_whose_id_is_used_again_is_not_taken_for_the_one_before():
    w, last = _watch(), '/proc/sys/kernel/ns_last_pid'
    pids = []
    for i in range(20):
        path = _path(f'again{i:02}')
        os.symlink(ACTOR, f'{DIR}/again-{i:02}')
        if pids:
            with open(last, 'w') as f:
                f.write(str(max(pids, key=pids.count) - 1))  # somebody else may have taken the first one
        p = subprocess.Popen([f'{DIR}/again-{i:02}', 'opens', path, '1', f'own{i:02}'], cwd=DIR)
        p.wait()
        pids.append(p.pid)
    check(max(map(pids.count, pids)) > 5, 'ids were not used again:', pids)
    seen = [x for x in w.of('/again') if x['proc.name'].startswith('again-')]
    equal(len(seen), 20)
    for i, x in enumerate(seen):
        equal((x['proc.pid'], x['fd.name'], x['proc.name'], x['proc.cmdline'][-5:]),
              (pids[i], f'{DIR}/again{i:02}', f'again-{i:02}', f'own{i:02}'))


def a_process_in_namespaces_of_its_own_is_known_by_its_real_ids():
    w, path = _watch(), _path('inside')
    for i, how in enumerate((['-p', '-m', '-f', '--mount-proc'], ['-U', '--map-root-user', '-p', '-f'], ['-U'])):
        subprocess.run(['unshare', *how, ACTOR, 'opens', path, '1', f'space{i}'], check=True)
        seen = [x for x in w.of('/inside') if f'space{i}' in (x['proc.cmdline'] or '') and x['proc.name'] == 'actor']
        equal(len(seen), 1, how)
        equal((seen[0]['fd.name'], str(seen[0]['user.uid'])), (path, '0'), how)
        check('-p' not in how or seen[0]['proc.vpid'] == 1 != seen[0]['proc.pid'], seen)


def whose_user_is_mapped_to_an_odd_number_is_known_by_that():
    w, path = _watch(), _path('mapped')
    for odd in (3000000000, 4294967294):
        p = subprocess.Popen(['unshare', '-U', 'sh', '-c', f'read go; exec setpriv --reuid 7 {ACTOR} opens {path} 1'],
                             stdin=subprocess.PIPE)
        own = os.stat('/proc/self/ns/user').st_ino
        while os.stat(f'/proc/{p.pid}/ns/user').st_ino == own:
            time.sleep(0.01)
        with open(f'/proc/{p.pid}/uid_map', 'w') as f:
            f.write(f'0 0 1\n7 {odd} 1\n')
        p.communicate(b'\n')
        equal(p.returncode, 0)
        equal([str(x['user.uid']) for x in w.of('/mapped') if x['proc.pid'] == p.pid], [str(odd)])


# ---- many ----

def a_fork_bomb_is_counted_to_the_last_process():
    w, most, seconds = _watch(), 3000 if LONG else 500, (3 if LONG else 1.5) * PATIENCE
    begun = int(_act('bomb', 23456, most, seconds))
    path = _path('after-bomb')
    _act('opens', path, 1)
    seen = [x for x in w.of('after-bomb') if x['proc.name'] == 'actor']
    equal([(x['fd.name'], x['proc.pname']) for x in seen], [(path, _ME)])
    print(f'# {begun} processes')
    check(begun > 300, begun)


@contextlib.contextmanager
def _room_for(ids):
    """So many process ids at a time, for a moment."""
    limit = '/proc/sys/kernel/pid_max'
    with open(limit) as f:
        before = f.read()
    with open(limit, 'w') as f:
        f.write(str(max(ids + 20000, int(before))))
    try:
        yield
    finally:
        with open(limit, 'w') as f:
            f.write(before)


def thousands_of_threads_of_one_process_are_all_seen():
    w, path, want = _watch(), _path('threads'), 100000 if LONG else 3000
    before = len(w.of('/threads'))
    with _room_for(want):
        n = int(_act('threads', path, want))
    seen = [x for x in w.of('/threads')][before:]
    seen = [x for x in seen if x['evt.type'] == 'openat' and x['proc.name'] == 'actor']
    equal((n, len(seen), len({x['thread.tid'] for x in seen}), len({x['proc.pid'] for x in seen})), (want, n, n, 1))
    equal({(x['fd.name'], x['proc.cmdline']) for x in seen}, {(path, f'actor threads {path} {want}')})


def processes_that_end_at_once_are_told_of_as_what_they_were():
    w, path, n = _watch(), _path('brief'), 1000
    _act('brief', path, n)
    seen = [x for x in w.of('/brief') if x['fd.name'] == path and x['proc.name'] == 'actor']
    equal(len(seen), n)
    equal(len({x['proc.pid'] for x in seen}), n)
    equal({x['proc.cmdline'] for x in seen}, {f'actor brief {path} {n}'})


# ---- the machine ----

def a_cpu_that_goes_and_comes_back_costs_nothing():
    w, path, n = _watch(), _path('hotplug'), 2000
    switch = '/sys/devices/system/cpu/cpu1/online'
    p = subprocess.Popen([ACTOR, 'opens', path, str(n)])
    try:
        for state in '01':
            with open(switch, 'w') as f:
                f.write(state)
            _act('opens', path, 10)
    except OSError as e:
        print(f'# CPUs cannot be switched off here: {e.strerror}; programs move between them instead')
        for i in range(50):
            os.sched_setaffinity(p.pid if p.poll() is None else 0, {i % os.cpu_count()})
            _act('opens', path, 1)
    finally:
        if os.path.exists(switch):
            with open(switch, 'w') as f:
                f.write('1')
        os.sched_setaffinity(0, range(os.cpu_count()))
    p.wait()
    mine = [x for x in w.of('/hotplug') if x['proc.pid'] == p.pid and x['evt.type'] == 'openat']
    equal(len([x for x in mine if x['fd.name'] == path]), n)


def processes_that_end_while_it_first_looks_around_do_no_harm():
    path = _path('around')
    churn = subprocess.Popen([ACTOR, 'brief', path, '1000000'])
    try:
        w = _Watch('--ring-size', '16M').ready()
        w.of('mark')
        time.sleep(0.5)
    finally:
        churn.kill()
        churn.wait()
    seen = [x for x in w.of('/around') if x['fd.name'] == path and x['proc.name'] != _ME]
    who = collections.Counter((x['proc.name'], x['proc.cmdline']) for x in seen)
    check(who.pop(('actor', f'actor brief {path} 1000000'), 0) > 100, who)
    # Begun before the first event, over before the look: nobody can know who that was.  One that was
    # ending when it was looked at had no arguments any more.  Neither is taken for anybody else.
    check(set(who) <= {('<NA>', '<NA>'), ('actor', 'actor')} and sum(who.values()) <= 2, who)
    check(re.search(r' events of processes, 0 lost', w.end()))


def of_all_this_no_event_of_processes_was_lost():
    said = _watching.pop().end()
    print('# ' + '\n# '.join(x for x in said.splitlines() if ' lost' in x or 'late' in x))
    check(re.search(r' events of processes, 0 lost', said), said)


# ---- Saker itself ----

def _stopped(seconds, made):
    """Received and lost of what was opened while it stood still."""
    w = _Watch('--ring-size', '8M,1M,256K').ready()
    w.of('mark')
    os.kill(w.p.pid, signal.SIGSTOP)
    _act('counts', made)
    for i in range(50):
        _act('counts', 0, f'saker-faults-exec{i:02}')
    time.sleep(seconds)
    os.kill(w.p.pid, signal.SIGCONT)
    execs = w.of('saker-faults-exec', 'Started')
    counted = w.of('', 'Counted')
    equal({x['proc.cmdline'] for x in counted}, {f'actor counts {made}'})
    return counted, execs, w.end()


def stopped_for_seconds_it_goes_on_and_says_what_it_missed():
    made = 20000
    counted, execs, said = _stopped(10 if LONG else 2, made)
    equal([x['proc.cmdline'][-2:] for x in execs], [f'{i:02}' for i in range(50)])
    lost = _number(said, ' lost of munlockall')
    check(lost > 0 and counted, said)
    check(re.search(r' events of processes, 0 lost', said), said)
    equal(len(counted) + lost, made, said)


def two_copies_see_the_same():
    a, b = _Watch(), _Watch()
    a.ready(), b.ready()
    a.of('mark'), b.of('mark')
    path = _path('both')
    _act('brief', path, 100)
    seen = [sorted((x['fd.name'], x['proc.pid'], x['fd.ino']) for x in w.of('/both') if x['proc.name'] == 'actor')
            for w in (a, b)]
    equal(len(seen[0]), 100)
    equal(seen[0], seen[1])
    a.end(), b.end()


def _held(pid):
    """Programs, links and maps that this process holds: kind and id."""
    ids = set()
    for fd in os.listdir(f'/proc/{pid}/fdinfo'):
        try:
            with open(f'/proc/{pid}/fdinfo/{fd}') as f:
                ids.update(re.findall(r'^(prog|link|map)_id:\t(\d+)', f.read(), re.M))
        except FileNotFoundError:
            pass
    return ids


def _attached():
    return {(kind, str(x['id'])) for kind in ('prog', 'link', 'map')
            for x in json.loads(subprocess.run(['bpftool', '-j', kind, 'list'], stdout=subprocess.PIPE, check=True).stdout)}


def _are_gone(ids):
    """Once the kernel has had the time to let go of them."""
    end = time.time() + 30 * PATIENCE
    while ids & _attached():
        check(time.time() < end, 'still there:', sorted(ids & _attached())[:10])
        time.sleep(0.1)


def killed_it_leaves_nothing_attached():
    w = _Watch().ready()
    held = _held(w.p.pid)
    equal({kind for kind, _ in held & _attached()}, {'prog', 'link', 'map'})
    w.p.kill()
    equal(w.p.wait(), -signal.SIGKILL)
    w.p.stderr.close()
    _are_gone(held)


def started_and_stopped_quickly_it_leaves_nothing_either():
    held, n = set(), 20 if LONG else 6
    for i in range(n):
        p = subprocess.Popen([SAKER, 'run', '-r', RULES_FILE], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
        # At every stage: before it can listen to signals, loading, reading /proc, watching.
        time.sleep(i * 0.9 / n * PATIENCE)
        held |= _held(p.pid)
        p.send_signal(signal.SIGINT if i % 2 else signal.SIGTERM)
        said = p.communicate(timeout=60 * PATIENCE)[1]
        check(p.returncode in (0, -signal.SIGINT, -signal.SIGTERM), p.returncode, said)
    _are_gone(held)


def with_nobody_to_read_its_alerts_it_ends():
    r, wr = os.pipe()
    w = _Watch(stdout=wr)
    os.close(wr)
    w.ready()
    os.close(r)
    end = time.time() + 20 * PATIENCE
    while w.p.poll() is None and time.time() < end:
        _path('nobody')
        time.sleep(0.1)
    w.end(None)
    closed = ['sh', '-c', 'exec "$@" >&-', 'sh']
    p = subprocess.run([*closed, SAKER, 'run', '-d', '1', '-r', RULES_FILE], stderr=subprocess.PIPE,
                       timeout=60 * PATIENCE)
    check(p.returncode in (0, 1), p.returncode, p.stderr)


def _into_pipe(*args):
    """A watch whose alerts go to a pipe, and the other end of that; there is something to read."""
    r, w = os.pipe()
    watch = _Watch(*args, stdout=w)
    os.close(w)
    watch.ready()
    end = time.time() + 30 * PATIENCE
    while not select.select([r], [], [], 0.1)[0]:
        check(time.time() < end, 'it does not watch')
        _path('pipe')
    return watch, r


def a_reader_that_is_slow_costs_alerts_that_are_counted():
    made = 20000
    w, r = _into_pipe('--ring-size', '8M,1M,256K')
    _act('counts', made)  # nobody reads meanwhile
    text, end = b'', time.time() + 3 * PATIENCE
    while time.time() < end:
        if select.select([r], [], [], 0.2)[0]:
            text += os.read(r, 65536)
    w.p.send_signal(signal.SIGINT)
    while True:
        more = os.read(r, 65536)
        if not more:
            break
        text += more
    said = w.p.communicate(timeout=60 * PATIENCE)[1].decode()
    os.close(r)
    alerts = [json.loads(x) for x in text.decode().splitlines()]
    seen = len([x for x in alerts if x['rule'] == 'Counted'])
    equal(seen + _number(said, ' lost of munlockall'), made, said)
    equal(_number(said, 'alerts of 4 rules'), len(alerts))


def a_reader_that_has_stopped_does_not_keep_it_from_ending():
    w, r = _into_pipe()
    _act('opens', _path('stuck'), 5000)
    time.sleep(1)
    begin = time.time()
    w.p.send_signal(signal.SIGTERM)
    said = w.p.communicate(timeout=20 * PATIENCE)[1].decode()
    check(time.time() - begin < 10 * PATIENCE)
    os.close(r)
    equal(w.p.returncode, 1, said)
    check(_number(said, 'lines were not written') > 0, said)


def memory_that_is_short_is_said_and_nothing_else_happens():
    ended = collections.Counter()
    for kib in (8000, 20000, 40000, 60000, 80000, 100000, 130000, 200000):
        p = subprocess.run(['sh', '-c', f'ulimit -v {kib}; exec "$@"', 'sh', SAKER, 'run', '-d', '1', '-r',
                            RULES_FILE], capture_output=True, timeout=60 * PATIENCE)
        ended[p.returncode] += 1
        print(f'# {kib} KiB: {p.returncode} {p.stderr.decode().strip().splitlines()[:1]}')
        check(p.returncode in (0, 1, 2, 127) and p.stderr, kib, p.returncode, p.stderr)
    check(ended[0] and ended[1], ended)


_ME = open('/proc/self/comm').read().strip()
if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
os.mkdir(DIR, 0o755)
run(globals())
