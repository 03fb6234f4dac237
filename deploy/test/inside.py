# SPDX-License-Identifier: Apache-2.0
"""In the machine of deploy/test/machine: the systemd unit and the AppArmor profile as they are, with a real Docker."""
import glob
import json
import os
import re
import subprocess
import time

from tap import PATIENCE, check, equal, run

UNIT = 'saker'
OUT = '/var/log/saker.out'
TOLD = '/var/log/saker-doctor.out'
DOCTOR = '/etc/systemd/system/saker-doctor.service'
LOCAL = '/etc/apparmor.d/local/saker'
DROP = '/etc/systemd/system/saker.service.d'
RULES = '''
- rule: Marked
  desc: a container starts a program
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-deploy and container.id != host
  output: marked %proc.args %container.id %container.name %container.image %container.metadata_status %proc.aname[3]
    %user.name %proc.exepath.host
  priority: INFO
'''
ALL_CAPS = {2: 'dac_read_search', 19: 'sys_ptrace', 38: 'perfmon', 39: 'bpf'}
_marks = iter(range(1000))


def _sh(*args, timeout=60 * PATIENCE):
    p = subprocess.run(args, capture_output=True, text=True, timeout=timeout)
    equal(p.returncode, 0, args, p.stdout, p.stderr)
    return p.stdout


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(text)


def _read(path):
    with open(path) as f:
        return f.read().rstrip('\n\0')


def _fact(text):
    print(f'# fact: {text}', flush=True)


def _until(what, found, seconds=30):
    """The first true thing that found() gives."""
    end = time.time() + seconds * PATIENCE
    while time.time() < end:
        got = found()
        if got:
            return got
        time.sleep(1)
    raise AssertionError(f'{what} did not come: {_journal()[-1500:]} {_killed()}')


def _killed():
    """Who made a call outside of a filter."""
    return [x[:300] for x in _sh('journalctl', '-k', '-o', 'cat').splitlines() if 'type=1326' in x][-3:]


def _journal():
    since = _sh('systemctl', 'show', '-P', 'InvocationID', UNIT).strip()
    return _sh('journalctl', '-o', 'cat', f'_SYSTEMD_INVOCATION_ID={since}')


def _file():
    return _read(OUT) if os.path.exists(OUT) else ''


def _restart(said=_journal):
    _sh('systemctl', 'daemon-reload')
    _sh('systemctl', 'restart', UNIT)
    _until('a watcher', lambda: re.search(r'watching \d', said()))
    time.sleep(2 * PATIENCE)
    equal(_sh('systemctl', 'show', '-P', 'ActiveState', UNIT).strip(), 'active', _sh('journalctl', '-o', 'cat', '-n', '15', '-u', UNIT))


def _pid():
    return _sh('systemctl', 'show', '-P', 'MainPID', UNIT).strip()


def _status():
    with open(f'/proc/{_pid()}/status') as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f)


def _alert(mark, said):
    for line in said().splitlines():
        if line.startswith('{'):
            fields = json.loads(line).get('output_fields', {})
            if fields.get('proc.args') == mark:
                return fields
    return None


def _of_container(name, said=_journal):
    """What Saker says of a new container's first program; and its id."""
    mark = f'saker-deploy-{next(_marks)}'
    told = _sh('docker', 'run', '-d', '--name', name, '--network', 'none', 'busybox:test', '/bin/true', mark).strip()
    return _until(f'the alert of {name}', lambda: _alert(mark, said)), told


def _whole(fields, name, told):
    equal(fields['container.id'], told[:12])
    equal(fields['container.name'], name)
    check(fields['container.image'].endswith('busybox:test'), fields)
    equal(fields['container.metadata_status'], 'ready')
    check('overlay' in fields['proc.exepath.host'], fields)


def _add(rules):
    """What the profile is besides, from now on also for who runs."""
    _write(LOCAL, rules)
    _sh('apparmor_parser', '-r', '/etc/apparmor.d/saker')


def _doctor():
    """As the unit's own process would find it: the same unit with another command."""
    unit = _read(f'/etc/systemd/system/{UNIT}.service')
    unit = re.sub(r'^ExecStart=.*', f'ExecStart=saker doctor\nStandardOutput=append:{TOLD}\nStandardError=inherit\n'
                  'SupplementaryGroups=docker\nSuccessExitStatus=1', unit, flags=re.M)
    unit = re.sub(r'^(Type=)exec', r'\1oneshot', unit, flags=re.M)
    _write(DOCTOR, re.sub(r'^Restart.*\n', '', unit, flags=re.M))
    _sh('systemctl', 'daemon-reload')
    _sh('systemctl', 'start', os.path.basename(DOCTOR), timeout=300 * PATIENCE)
    return _read(TOLD)


def _denied():
    """What the profile has refused that it was not made to; since `_add` the rest is meant."""
    return [x for x in _sh('journalctl', '-k', '-o', 'cat').splitlines() if 'DENIED' in x and '"saker"' in x and
            'family="unix"' not in x]


def the_machine_is_as_strict_as_debian_makes_it():
    paranoid = _read('/proc/sys/kernel/perf_event_paranoid')
    equal(paranoid, '3')
    check('apparmor' in _read('/sys/kernel/security/lsm'))
    _fact(f'Debian {_read("/etc/debian_version")}, Linux {os.uname().release}, '
          f'{_sh("systemctl", "--version").splitlines()[0]}, kernel.perf_event_paranoid={paranoid}, '
          f'kernel.unprivileged_bpf_disabled={_read("/proc/sys/kernel/unprivileged_bpf_disabled")}, '
          f'security modules: {_read("/sys/kernel/security/lsm")}')


def the_unit_makes_sense_to_systemd():
    p = subprocess.run(['systemd-analyze', 'verify', '--man=no', '/etc/systemd/system/saker.service'], capture_output=True, text=True)
    equal((p.returncode, p.stdout, p.stderr), (0, '', ''))
    exposure = re.search(r'exposure level for saker.service: (\S+) (\S+)',
                         _sh('systemd-analyze', 'security', '--no-pager', UNIT))
    _fact(f'`systemd-analyze security saker`: {exposure[1]} {exposure[2]}')
    check(float(exposure[1]) < 3, exposure[0])


def it_starts_and_watches():
    _restart()
    equal(_sh('systemctl', 'is-active', UNIT).strip(), 'active')
    said = _journal()
    check('refuses' not in said, said)
    _fact(re.search(r'watching \d.*', said)[0])


def it_is_a_user_of_its_own_and_keeps_what_reads_proc():
    s = _status()
    uid = _sh('id', '-u', 'saker').strip()
    equal(s['Uid'].split(), [uid] * 4)
    equal(int(s['CapEff'], 16), 1 << 2 | 1 << 19)
    equal(int(s['CapBnd'], 16), sum(1 << c for c in ALL_CAPS))
    equal(int(s['CapAmb'], 16), 0)
    equal((s['NoNewPrivs'], s['Seccomp']), ('1', '2'))


def its_profile_is_enforced():
    equal(_read(f'/proc/{_pid()}/attr/apparmor/current'), 'saker (enforce)')


def an_alert_knows_container_and_image():
    fields, told = _of_container('first')
    _whole(fields, 'first', told)


def names_that_begin_with_a_call_are_seen_where_perf_may_be_used():
    """Debian's level 3 means that only CAP_SYS_ADMIN may open any; which is said."""
    check('is not seen (enter_' in _journal(), _journal())
    _write('/proc/sys/kernel/perf_event_paranoid', '2')
    _restart()
    check('is not seen' not in _journal(), _journal())


def the_bundled_rules_fire():
    subprocess.run(['docker', 'run', '--rm', '--network', 'none', '-v', '/etc/shadow:/etc/shadow:ro', 'busybox:test', 'cat',
                    '/etc/shadow'], stdout=subprocess.DEVNULL, timeout=60 * PATIENCE)
    _until('an alert about /etc/shadow', lambda: [x for x in _journal().splitlines()
                                                  if x.startswith('{') and '/etc/shadow' in x])


def the_profile_denied_nothing_of_that():
    equal(_denied(), [])


def the_unit_filters_no_call_that_is_made():
    """A call outside its list would now be the end."""
    _write(f'{DROP}/strict.conf', '[Service]\nSystemCallErrorNumber=kill\nRestart=no\n')
    try:
        _restart()
        fields, told = _of_container('strict')
        _whole(fields, 'strict', told)
        equal(_sh('systemctl', 'is-active', UNIT).strip(), 'active')
    finally:
        os.remove(f'{DROP}/strict.conf')
    _restart()


def a_profile_that_forbids_sockets_is_told_of():
    """What it says goes to a file, for the journal is at a socket's other end.  (A socket's path is not looked at by this kernel.)"""
    _write(f'{DROP}/file.conf', f'[Service]\nStandardOutput=append:{OUT}\nStandardError=inherit\n')
    _add(f'deny network unix,\n{OUT} w,\n{TOLD} w,\n')
    _restart(_file)
    fields, told = _of_container('denied', _file)
    equal(fields['container.id'], told[:12])
    equal(fields['container.metadata_status'], 'permission_denied')
    equal(fields['container.name'], None)


def doctor_names_apparmor():
    said = _doctor()
    check('docker.sock: permission denied, not by its owner and mode: AppArmor profile saker (enforce)' in said, said)
    check("let its profile have a line 'network unix stream,'" in said, said)


def once_it_allows_them_metadata_is_whole_without_a_restart():
    before = _pid()
    _add(f'{OUT} w,\n')

    def whole():
        name = f'allowed-{time.time_ns()}'
        fields, told = _of_container(name, _file)
        return (name, fields, told) if fields['container.metadata_status'] == 'ready' else None
    name, fields, told = _until('metadata', whole, 60)
    _whole(fields, name, told)
    equal(_pid(), before)
    os.remove(f'{DROP}/file.conf')


def a_container_under_the_profile_knows_other_containers():
    """deploy/run/docker-sysadmin as it is: AppArmor is on, so the profile is taken."""
    _add('capability sys_admin,\n')
    _sh('systemctl', 'stop', UNIT)
    _sh('docker', 'load', '-qi', '/saker/saker.tar', timeout=100 * PATIENCE)
    _sh('/saker/deploy/run/docker-sysadmin', '-v', '/etc/saker/test.yaml:/etc/test.yaml:ro', 'docker.io/library/saker:root', 'run',
        '--json', '-r', '/etc/test.yaml', '--metadata-deadline', '30000')

    def logs():
        p = subprocess.run(['docker', 'logs', UNIT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return p.stdout
    _until('a watcher in a container', lambda: re.search(r'watching \d', logs()))
    pid = _sh('docker', 'inspect', '-f', '{{.State.Pid}}', UNIT).strip()
    equal(_read(f'/proc/{pid}/attr/apparmor/current'), 'saker (enforce)')
    fields, told = _of_container('seen-by-a-container', logs)
    _whole(fields, 'seen-by-a-container', told)
    equal(_denied(), [])
    _sh('docker', 'rm', '-f', UNIT, timeout=60 * PATIENCE)


def it_ends_when_told():
    _restart()
    _sh('systemctl', 'stop', UNIT)
    equal(_sh('systemctl', 'show', '-P', 'Result', UNIT).strip(), 'success')


_write('/etc/saker/test.yaml', RULES)
_write('/etc/default/saker', 'SAKER_OPTIONS=-r /usr/local/share/saker/rules/saker_rules.yaml -r /etc/saker/test.yaml '
       '--metadata-deadline 30000\n')
_write(LOCAL, '')
_sh('systemd-sysusers')
_sh('systemctl', 'start', 'docker', timeout=100 * PATIENCE)
_sh('docker', 'load', '-qi', '/saker/busybox.tar', timeout=100 * PATIENCE)
print(f'# {len(glob.glob("/etc/apparmor.d/*"))} profiles and folders in /etc/apparmor.d', flush=True)
run(globals())
