# SPDX-License-Identifier: Apache-2.0
"""Live equals replay: what is watched, and its own recording replayed, give the same alerts.

usage: equal.py LIVE      LIVE: the program whose cases make every system call
"""
import collections
import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, done, equal, file, run, saker  # noqa: E402

# Whatever a scenario does, with what is known of it.  Times and numbers of events are the
# watcher's own.
OF_SCENE = '(proc.name = saker-scene or proc.aname = saker-scene)'
# Those that only rules ask for are not in a recording.
UNRECORDED = '(page_fault, switch)'
ANYTHING = f'''
- rule: Anything
  desc: an event of the scenario
  condition: {OF_SCENE} and not evt.type in {UNRECORDED}
  output: >
    %thread.tid %evt.type %evt.args | %evt.res %fd.name %fd.type %fd.lip %fd.rport %fs.path.name | %proc.name
    %proc.exepath %proc.cmdline %proc.pname %proc.cwd %proc.is_exe_upper_layer %proc.is_exe_from_memfd
    %proc.is_exe_writable %user.name %user.loginuid %proc.sid %proc.tty %container.id
  priority: DEBUG
- rule: Ready
  desc: the watcher is there
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-live-mark
  output: ready %proc.args
  priority: DEBUG
'''
# Names of others, behind their numbers: two watchers may see them at different moments, before and after
# an exec or the end of somebody on another CPU.
OTHERS = re.compile(r'\b(pid|tid|ptid|ppid|vpid|vtid|pgid|vpgid|vtgid|sid|spid|dpid|next|reaper_tid|res)=(\d+)'
                    r'\((?!<).{1,15}?\)(?= |$)')
RINGS = ['--ring-size', '16M,16M,64M']
LIVE = os.path.abspath(sys.argv[1])


def _mark(text):
    subprocess.run(['/bin/true', f'saker-live-mark-{text}'], check=True)


class _Lossy(Exception):
    pass


class _Watch:
    """saker run beside the scenario."""

    def __init__(self, *rules):
        self.path = file('watched')
        args = [x for r in rules for x in ('-r', r)]
        self.p = subprocess.Popen([SAKER, 'run', '--json', '--all-syscalls', *RINGS, '--all-matches', *args],
                                  stdout=open(self.path, 'wb'), stderr=subprocess.PIPE)
        self.until('ready')

    def until(self, mark):
        end = time.time() + 30 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            _mark(mark)
            with open(self.path) as f:
                if f'saker-live-mark-{mark}' in f.read():
                    return
        raise AssertionError(f'{mark}: no alert: {self.p.stderr.read() if self.p.poll() is not None else ""}')

    def end(self):
        self.until('over')
        self.p.send_signal(signal.SIGINT)
        said = self.p.communicate(timeout=30 * PATIENCE)[1].decode()
        equal(self.p.returncode, 0, said)
        if _is_lossy(said):
            raise _Lossy(said)
        with open(self.path, 'rb') as f:
            return f.read()


def _is_lossy(said):
    """More than the two messages that one of the live cases loses on purpose."""
    return any(int(n) > 2 for n in re.findall(r'(\d+) lost', said))


def _alerts(lines):
    """Of each thread of the scenario, in order: rule and output."""
    threads = collections.defaultdict(list)
    for line in lines.splitlines():
        a = json.loads(line)
        if a['rule'] != 'Ready' and 'saker-scene' in a['output'] and 'saker record' not in a['output']:
            output = OTHERS.sub(r'\1=\2', a['output'].split(' ', 1)[1])
            threads[a['output_fields'].get('thread.tid')].append((a['rule'], output))
    return threads


def _same(*scene_and_rules):
    """What is lost to a busy machine is not compared: then again, with all of it."""
    for _ in range(4):
        try:
            return _same_once(*scene_and_rules)
        except _Lossy as e:
            said = e
    raise AssertionError(f'lost every time: {said}')


def _same_once(scene, *rules):
    """Watch the scene and record it at the same time; the number of alerts that were the same."""
    capture = os.path.join(TMP, 'scene.scap')
    w = _Watch(*rules)
    # Descriptors that record hands down are known to its picture by more than what made them.
    with open(file('said'), 'wb') as out:
        equal(saker('record', capture, *RINGS, '--', *scene, stdin=None, stdout=out, stderr=out).returncode, 0)
    with open(out.name) as f:
        lossy = _is_lossy(f.read())
    watched = _alerts(w.end())
    if lossy:
        raise _Lossy('the recording')
    args = [x for r in rules for x in ('-r', r)]
    replayed = _alerts(done(saker('replay', capture, '--json', '--all-matches', *args)))
    equal(sorted(map(str, watched)), sorted(map(str, replayed)))
    differences = [x for tid in watched for x in _differences(tid, watched[tid], replayed[tid])]
    check(not differences, *differences)
    return sum(map(len, watched.values()))


def _by_type(alerts):
    """What a ring does is done by workers on other CPUs: what two watchers see of that and of its owner may change places."""
    if any(' io_uring_setup ' in output for _, output in alerts):
        return sorted(alerts, key=lambda alert: alert[1].split(' ')[2])
    return alerts


def _differences(tid, watched, replayed):
    """In words: what only one of them has there."""
    watched, replayed = _by_type(watched), _by_type(replayed)
    lines = [[f'{rule}: {output}' for rule, output in alerts] for alerts in (watched, replayed)]
    diff = difflib.unified_diff(*lines, 'watched', 'replayed', n=0, lineterm='')
    return [f'\nthread {tid}: {x:.300}' for x in diff if x[:3] not in ('---', '+++')]


def every_system_call_of_the_live_cases():
    scene = os.path.join(TMP, 'saker-scene')
    shutil.copy(LIVE, scene)
    n = _same([scene], file('anything.yaml', ANYTHING))
    check(n > 500, n)


def the_bundled_rules_on_deeds_of_an_intruder():
    here = os.path.dirname(os.path.abspath(__file__))
    script = file('saker-scene', '''#!/bin/sh
cat /etc/shadow >/dev/null
cp /bin/true /dev/shm/saker-scene-x && /dev/shm/saker-scene-x
rm -f /dev/shm/saker-scene-x
touch /etc/cron.d/saker-scene && rm /etc/cron.d/saker-scene
ln -s /etc/shadow saker-scene-link && rm saker-scene-link
find / -maxdepth 1 -name id_rsa
''')
    os.chmod(script, 0o755)
    bundled = os.path.join(here, '../../rules/saker_rules.yaml')
    ready = file('ready.yaml', ANYTHING[ANYTHING.index('- rule: Ready'):])
    n = _same([script], bundled, ready)
    check(n >= 3, n)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
run(globals())
