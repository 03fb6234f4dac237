# SPDX-License-Identifier: Apache-2.0
"""Nothing is <NA> or null in text and JSON that /proc could have answered at that moment.

A process opens a file and stays, so that /proc can be asked too: one that was there before Saker, one that was
started since, and one whose beginning was lost.
"""
import atexit
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, file, run  # noqa: E402

DIR = os.path.join(TMP, 'saker-answered')
FIELDS = '''
proc.name proc.exe proc.exepath proc.cmdline proc.exeline proc.args proc.cmdnargs proc.cwd proc.pid proc.ppid proc.sid proc.pgid
proc.vpid proc.vpgid proc.tty proc.exe_ino proc.exe_ino.mtime proc.exe_ino.ctime proc.env proc.fdlimit proc.duration proc.pid.ts
proc.ppid.ts proc.pname proc.pexe proc.pexepath proc.pcmdline proc.aname[2] proc.acmdline[2] proc.apid[2] proc.pvpid proc.sname
proc.is_exe_writable proc.is_exe_upper_layer proc.is_exe_from_memfd proc.nthreads proc.nchilds
thread.tid thread.vtid thread.ismain thread.cap_permitted thread.cap_effective thread.cap_inheritable thread.cgroups
user.uid user.name user.homedir user.loginuid group.gid group.name
fd.num fd.name fd.directory fd.filename fd.type fd.typechar fd.ino fd.dev container.id evt.type evt.res
'''.split()
STREAMS = ['proc.stdin.type', 'proc.stdin.name', 'proc.stdout.type', 'proc.stdout.name']
SECRET = 'saker-answered-secret'


def _rules(fields):
    return file('rules.yaml', f'''
- rule: Opened
  desc: a file of ours
  condition: evt.type in (open, openat) and evt.rawres >= 0 and fd.name endswith {SECRET}
  output: opened by=%proc.pid {' '.join('%' + x for x in fields)}
  priority: INFO
''')


class _Watch:
    n = 0

    def __init__(self, fields, *args):
        _Watch.n += 1
        self.path = file(f'out{_Watch.n}')
        self.p = subprocess.Popen([SAKER, 'run', '-r', _rules(fields), *args], stdout=open(self.path, 'wb'),
                                  stderr=subprocess.PIPE)
        atexit.register(self.p.kill)
        for line in self.p.stderr:
            if b'watching ' in line:
                return
        raise AssertionError('it does not watch')

    def lines(self, opener):
        """Of what is added to each output, the image of a container, /proc has nothing."""
        with open(self.path) as f:
            mine = [line for line in f if line.endswith('\n') and f'opened by={opener.p.pid} ' in line]
        return [re.sub(' container_id=.*?(?=["\n])', '', line) for line in mine]

    def end(self):
        self.p.send_signal(signal.SIGINT)
        said = self.p.communicate(timeout=60 * PATIENCE)[1].decode()
        equal(self.p.returncode, 0, said)
        return said


class _Opener:
    """Opens the file whenever it is told to, as descriptor 3."""

    def __init__(self, name):
        self.path = os.path.join(DIR, f'{name}-{SECRET}')
        open(self.path, 'w').close()
        self.p = subprocess.Popen(['/bin/sh', '-c', 'while read go; do exec 3<"$0"; done', self.path], stdin=subprocess.PIPE,
                                  stdout=open(file('stdout'), 'wb'), cwd=DIR, start_new_session=True,
                                  env={'SAKER_ANSWERED': name, 'PATH': '/bin'})
        atexit.register(self.p.kill)

    def open(self):
        self.p.stdin.write(b'go\n')
        self.p.stdin.flush()

    def end(self):
        self.p.stdin.close()
        self.p.wait()

    def asked(self):
        """What /proc says of it."""
        at = f'/proc/{self.p.pid}'
        stat = open(f'{at}/stat').read().rpartition(')')[2].split()
        args = open(f'{at}/cmdline').read().rstrip('\0').split('\0')
        name = open(f'{at}/comm').read().rstrip('\n')
        exe, target, me = os.stat(f'{at}/exe'), os.stat(self.path), pwd.getpwuid(os.getuid())
        return {'proc.name': name, 'proc.exe': args[0], 'proc.exepath': os.readlink(f'{at}/exe'),
                'proc.args': ' '.join(args[1:]), 'proc.cmdline': ' '.join([name, *args[1:]]), 'proc.cwd': os.readlink(f'{at}/cwd') + '/',
                'proc.pid': self.p.pid, 'proc.ppid': os.getpid(), 'proc.pgid': int(stat[2]), 'proc.sid': int(stat[3]),
                'proc.tty': int(stat[4]), 'proc.exe_ino': exe.st_ino, 'proc.exe_ino.mtime': exe.st_mtime_ns,
                'proc.pname': open('/proc/self/comm').read().rstrip('\n'), 'proc.pexepath': os.readlink('/proc/self/exe'),
                'proc.apid[2]': os.getppid(), 'proc.aname[2]': open(f'/proc/{os.getppid()}/comm').read().rstrip('\n'),
                'thread.tid': self.p.pid, 'user.uid': me.pw_uid, 'user.name': me.pw_name, 'user.homedir': me.pw_dir,
                'fd.num': 3, 'fd.name': self.path, 'fd.ino': target.st_ino, 'fd.type': 'file', 'evt.res': 'SUCCESS'}


def _check_json(line, asked, fields):
    alert = json.loads(line)
    got = alert['output_fields']
    equal([x for x in fields if got.get(x) is None], [], alert)
    check('<NA>' not in alert['output'], alert['output'][-600:])
    equal({k: str(got[k]) for k in asked}, {k: str(v) for k, v in asked.items()})


def _known_at_once(how, make):
    for args in (['--json'], []):
        opener = _Opener(f'{how}{len(args)}') if make == 'before' else None
        w = _Watch(FIELDS + STREAMS, *args)
        opener = opener or _Opener(f'{how}{len(args)}')
        end = time.time() + 60 * PATIENCE
        while not w.lines(opener):  # it may not be watching yet
            check(time.time() < end, 'no alert')
            opener.open()
            time.sleep(0.2)
        asked = opener.asked()
        opener.end()
        w.end()
        for line in w.lines(opener):
            if args:
                _check_json(line, asked, FIELDS + STREAMS)
            check('<NA>' not in line, line)


def of_who_was_there_before():
    _known_at_once('before', 'before')


def of_who_was_started_since():
    _known_at_once('since', 'since')


def of_whose_beginning_was_lost():
    """An event waits for answers as long as it may; on a machine with too much to do a later one has them."""
    w = _Watch(FIELDS, '--json', '--ring-size', '64K,1M,8M')
    os.kill(w.p.pid, signal.SIGSTOP)
    for _ in range(500):
        subprocess.run(['/bin/true'], check=True)
    opener = _Opener('lost')
    os.kill(w.p.pid, signal.SIGCONT)
    whole, end = [], time.time() + 60 * PATIENCE
    while not whole:
        check(time.time() < end, w.lines(opener)[-2:])
        opener.open()
        time.sleep(0.3)
        whole = [x for x in w.lines(opener) if '<NA>' not in x]
    asked = opener.asked()
    opener.end()
    said = w.end()
    check(' 0 lost' not in next(x for x in said.splitlines() if 'events of processes' in x), said)
    print(f'# {len([x for x in w.lines(opener) if "<NA>" in x])} events before the answers')
    _check_json(whole[0], asked, FIELDS)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
os.mkdir(DIR, 0o755)
run(globals())
