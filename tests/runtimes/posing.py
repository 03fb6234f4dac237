# SPDX-License-Identifier: Apache-2.0
"""Cgroup names that are not believed: one that a user made, and a container's that a process moved into; and what is really in
a container is in it, whatever it shares with the machine."""
import glob
import os
import re
import signal
import subprocess
import time

import real
from real import STATE
from tap import SAKER, check, equal, file

RULES = '''
- rule: Mark
  desc: somebody runs true with a word
  condition: evt.type = execve and proc.name = true and proc.args startswith mark-
  output: "%proc.args %container.id"
  priority: INFO
'''
HIERARCHIES = [os.path.dirname(p) for p in glob.glob('/sys/fs/cgroup/cgroup.procs') + glob.glob('/sys/fs/cgroup/*/cgroup.procs')]
USER = 1234
FAKE = '5' * 64
# A child of a shell of the user goes on into the group with the name.
GO_ON = 'sh -c \'for g; do echo 0 >$g/cgroup.procs || exit; done; /bin/true mark-lookalike; true\' sh "$@"; true'
# The same, and the child has pids of its own, where it is root, with or without mounts of its own.
GO_ON_APART = GO_ON.replace('/bin/true mark-lookalike', 'unshare -Urp --fork /bin/true mark-apart; '
                            'unshare -Urpm --fork /bin/true mark-apart-mounts')
# And one that goes in as the first process there: who moves it stays outside.
PUT_IN = ('unshare -Urp --fork --kill-child sh -c \'read x; /bin/true mark-put; true\' <>"$0/go" & sleep 1; '
          'child=$(cat /proc/$!/task/$!/children); for g; do echo $child >$g/cgroup.procs || exit; done; echo >"$0/go"; wait')
ids = {}


def _make_groups(path):
    """In every hierarchy, for the user; cpuset wants to know where before anybody may enter."""
    groups = [os.path.join(h, path) for h in HIERARCHIES]
    for group in groups:
        top = ''
        for part in os.path.relpath(group, '/sys/fs/cgroup').split('/'):
            top = os.path.join(top, part)
            at = os.path.join('/sys/fs/cgroup', top)
            os.makedirs(at, exist_ok=True)
            for name in ('cpuset.cpus', 'cpuset.mems'):
                own, above = os.path.join(at, name), os.path.join(os.path.dirname(at), name)
                if os.path.exists(own) and os.path.exists(above) and not open(own).read().strip():
                    open(own, 'w').write(open(above).read())
        for path in (group, os.path.dirname(group)):
            for name in ('cgroup.procs', 'tasks'):
                if os.path.exists(os.path.join(path, name)):
                    os.chown(os.path.join(path, name), USER, USER)
    return groups


def _groups_of(pid):
    """The directories of a process' cgroups."""
    found = []
    for line in open(f'/proc/{pid}/cgroup'):
        _, controllers, path = line.strip().split(':', 2)
        for h in HIERARCHIES:
            names = os.path.basename(h).split(',')
            if controllers.replace('name=', '') in (os.path.basename(h), '') and (controllers or names == ['unified']):
                found.append(h + path)
    return found


def _run_in(groups, uid, script, *args):
    """A shell that root puts there."""
    def enter():
        for group in groups:
            with open(os.path.join(group, 'cgroup.procs'), 'w') as f:
                f.write('0')
        os.setuid(uid)

    subprocess.run(['sh', '-c', script, 'sh', *args], preexec_fn=enter, check=True)


def _put_in(groups):
    folder = os.path.join(STATE, 'put')
    os.mkdir(folder)
    os.mkfifo(os.path.join(folder, 'go'))
    os.chown(os.path.join(folder, 'go'), USER, USER)
    for path in (STATE, folder):
        os.chmod(path, 0o755)

    def enter():
        for group in groups:
            with open(os.path.join(os.path.dirname(group), 'cgroup.procs'), 'w') as f:
                f.write('0')
        os.setuid(USER)

    subprocess.run(['sh', '-c', PUT_IN, folder, *groups], preexec_fn=enter, check=True, timeout=60)


def _alerts():
    return dict(re.findall(r'(mark-\S+) (\S+)', open(_file_path('alerts')).read()))


def _file_path(name):
    return os.path.join(os.path.dirname(file('here')), name)


def saker_watches_who_goes_where():
    said = open(file('said'), 'wb')
    p = subprocess.Popen([SAKER, 'run', '-r', file('rules.yaml', RULES), *real.SOCKETS], stdout=open(file('alerts'), 'wb'),
                         stderr=said, env=real.ENV)
    groups = _make_groups(f'saker-user/docker-{FAKE}.scope')
    try:
        while b'watching' not in open(said.name, 'rb').read():
            time.sleep(0.1)
        time.sleep(1)
        for name, options in (('private', []), ('hostpid', ['--pid', 'host']), ('user', ['--user', '1234']),
                              ('both', ['--user', '1234', '--pid', 'host'])):
            ids[name] = real.docker('run', '-d', '--network', 'none', *options, 'busybox:test', 'sleep', '1000').strip()
            real.docker('exec', ids[name], '/bin/true', f'mark-{name}')
            real.docker('exec', ids[name], 'sh', '-c', f'(/bin/true mark-{name}-below); true')
        ids['podman'] = real.podman('run', '-d', '--network', 'none', '--pid', 'host', real.IMAGE, 'sleep', '1000').strip()
        real.podman('exec', ids['podman'], '/bin/true', 'mark-podman')
        time.sleep(2)
        pid = int(real.docker('inspect', '-f', '{{.State.Pid}}', ids['private']))
        _run_in(_groups_of(pid), 0, '/bin/true mark-moved; true')
        _run_in([os.path.dirname(g) for g in groups], USER, GO_ON, *groups)
        _run_in([os.path.dirname(g) for g in groups], USER, GO_ON_APART, *groups)
        _put_in(groups)
        time.sleep(1)
    finally:
        p.send_signal(signal.SIGINT)
        p.wait(timeout=60)
        for group in groups:
            os.rmdir(group)
            os.rmdir(os.path.dirname(group))
    equal(p.returncode, 0)
    check(b'that are named after containers that they are not in' in open(said.name, 'rb').read(), open(said.name).read())


def what_is_in_a_container_is_in_it():
    found = _alerts()
    for name in ('private', 'hostpid', 'user', 'both'):
        equal((found.get(f'mark-{name}'), found.get(f'mark-{name}-below')), (ids[name][:12],) * 2, name)
    equal(found.get('mark-podman'), ids['podman'][:12])


def who_moves_into_its_cgroup_is_not():
    equal(_alerts().get('mark-moved'), 'host')


def a_name_that_a_user_made_is_nothing():
    equal(_alerts().get('mark-lookalike'), 'host')


def pids_of_its_own_do_not_help():
    equal([_alerts().get(m) for m in ('mark-apart', 'mark-apart-mounts', 'mark-put')], ['host'] * 3)


real.with_runtimes(globals())
