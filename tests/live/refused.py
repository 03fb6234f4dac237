# SPDX-License-Identifier: Apache-2.0
"""Programs that the kernel refuses cost their own events only, and little time however many they are.

usage: refused.py LIBRARY      LIBRARY: preloaded, it refuses them (refuse.c)
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, file, run, saker  # noqa: E402

LIBRARY = os.path.abspath(sys.argv[1])
OPENED = '''
- rule: Opened
  desc: a file of ours
  condition: evt.type in (open, openat, socket, setuid) and fd.name endswith saker-refused-file
  output: opened %fd.name
  priority: INFO
'''


def _doctor(prefix):
    """What it says of each program, and how many it tried to load."""
    told = os.path.join(TMP, 'tried')
    env = {'REFUSE_TO': told, 'LD_PRELOAD': LIBRARY, **({'REFUSE': prefix} if prefix else {})}
    found = json.loads(saker('doctor', '--json', env=env).stdout)
    with open(told) as f:
        return {p['name']: p['loads'] for p in found['programs']}, int(f.read())


def all_that_are_refused_are_named_and_none_is_tried_again_for_each():
    programs, at_best = _doctor(None)
    equal(set(programs.values()), {True})
    for prefix in ('sys_openat2', 'sys_s'):
        refused = {name for name in programs if name.startswith(prefix)}
        found, tried = _doctor(prefix)
        equal({name for name, loads in found.items() if not loads}, refused)
        # What is refused is tried once more for what the verifier has to say.
        check(tried <= 2 * at_best + 2 * len(refused), prefix, tried, at_best, len(refused))


def the_others_are_watched_all_the_same():
    path, out = file('saker-refused-file'), file('alerts')
    p = subprocess.Popen([SAKER, 'run', '-r', file('opened.yaml', OPENED)], stdout=open(out, 'wb'), stderr=subprocess.PIPE,
                         env={**os.environ, 'LD_PRELOAD': LIBRARY, 'REFUSE': 'sys_s'})
    end, alerts = time.time() + 60 * PATIENCE, ''
    while 'opened ' not in alerts and p.poll() is None and time.time() < end:
        open(path, 'rb').close()
        time.sleep(0.01)
        with open(out) as f:
            alerts = f.read()
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=60 * PATIENCE)[1].decode()
    equal(p.returncode, 0, said)
    check(f'opened {path}' in alerts, said)
    for name in ('socket', 'setuid'):
        check(f'this kernel refuses the program sys_{name}; its events stay unseen' in said, said)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
run(globals())
