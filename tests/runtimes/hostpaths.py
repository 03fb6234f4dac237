# SPDX-License-Identifier: Apache-2.0
"""Where files of containers are on the host: what a container reads is read again through the path that `saker run` tells, in
every situation, in containers of docker, podman and a pod; and a recording of it all replays to the same."""
import json
import os
import signal
import subprocess
import time

import real
from tap import SAKER, check, equal, file

# Files are named m-WHAT and hold WHO-WHAT, so that each alert says which situation it is of.
STEPS = r'''
set -e
cat() { /bin/cat "$@"; } # a program of its own, not the shell's
echo $WHO-new > /m-new; cat /m-new
echo $WHO-renamed > /x; mv /x /m-renamed; cat /m-renamed
mkdir /d; echo $WHO-carried > /d/m-carried; mv /d /e; cat /e/m-carried
echo $WHO-link > /target; ln -s /target /m-link; cat /m-link
mkdir /dir; echo $WHO-through > /dir/m-through; ln -s /dir /way; cat /way/m-through
echo $WHO-dots > /m-dots; cat /usr/bin/../../m-dots
echo $WHO-proc > /m-proc; cat /proc/self/root/m-proc
echo $WHO-hard > /hard; ln /hard /m-hard; cat /m-hard
cd /dir; echo $WHO-relative > m-relative; cat ./m-relative; cd /
cat /etc/passwd
echo $WHO >> /etc/group; cat /etc/group
cp /bin/busybox /cat; /cat /m-new
'''
# Calls by name alone: of n-WHAT, which holds WHO-WHAT where something is left of it.
NAMES = r'''
echo $WHO-to > /n-from; mv /n-from /n-to
ln /n-to /n-hard; ln -s /n-to /n-sym
mkdir /n-dir; chmod 700 /n-dir; rmdir /n-dir
mkdir /n1; ln -s /n1 /n2; echo $WHO-way > /n1/n-a; mv /proc/self/root/n2/n-a /n2/../n1/n-way
chown 1 /n-to; rm /n-hard
mv /etc/passwd /n-image
'''
MOUNTED = r'''
cat /b/m-bound
cat /m-single
echo $WHO-b > /b/n-b1; mv /b/n-b1 /b/n-b; echo $WHO-v > /vol/n-v1; mv /vol/n-v1 /vol/n-v
echo x > /t/n-t1; mv /t/n-t1 /t/n-t
echo $WHO-volume > /vol/m-volume; cat /vol/m-volume
echo $WHO-memory > /t/m-memory; cat /t/m-memory
'''
# Mounts that a container makes itself.
PRIVILEGED = r'''
cat() { /bin/cat "$@"; }
mkdir -p /t/up /t/work /t/merged /again /inner /root2
echo $WHO-below > /inner/m-below
mount -t overlay overlay -o lowerdir=/inner,upperdir=/t/up,workdir=/t/work /t/merged
cat /t/merged/m-below
mount --bind /inner /again; echo $WHO-again > /again/m-again; cat /again/m-again
mkdir -p /root2/bin; cp /bin/busybox /root2/bin; echo $WHO-chroot > /root2/m-chroot; chroot /root2 /bin/busybox cat /m-chroot
'''
IN_BOTH = ['new', 'renamed', 'carried', 'link', 'through', 'dots', 'proc', 'hard', 'relative']
RULES = '''
- rule: Read
  desc: a container reads
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.num >= 0 and container.id != host
    and (fd.filename startswith m- or fd.name in (/etc/passwd, /etc/group)) and proc.name in (cat, busybox)
  output: "%container.id %fd.name %fd.host_name %fs.path.host %fd.host_status %fd.resolved_name %proc.exepath.host"
  priority: INFO
'''
NAMED = '''
- rule: Named
  desc: a container names files
  condition: >
    evt.type in (rename, renameat, renameat2, link, linkat, symlink, symlinkat, mkdir, mkdirat, rmdir, unlink, unlinkat,
    chmod, fchmodat, chown, lchown, fchownat) and evt.rawres = 0 and container.id != host
    and (fs.path.name contains /n- or fs.path.source contains /n- or fs.path.target contains /n-)
  output: "%container.id %evt.type %fs.path.name %fs.path.host %fs.path.source %fs.path.host.source %fs.path.target %fs.path.host.target"
  priority: INFO
- rule: Found
  desc: what was there before
  condition: evt.type = close and fd.name endswith /m-old and container.id != host
  output: "%container.id %fd.host_name %fd.host_status %proc.exepath.host"
  priority: INFO
'''
SHARED = f'{real.STATE}/shared'
alerts = []


def _file(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(text)
    return path


def _mounts(who):
    _file(f'{SHARED}/{who}/dir/m-bound', f'{who}-bound\n')
    single = _file(f'{SHARED}/{who}/one', f'{who}-single\n')
    return ['-v', f'{SHARED}/{who}/dir:/b', '-v', f'{single}:/m-single', '-v', f'vol-{who}:/vol', '--tmpfs', '/t']


def _old(who, run, image):
    """A container that has a file open."""
    return run('run', '-d', '--network', 'none', image, 'sh', '-c',
               f'echo {who}-old > /m-old; exec 3</m-old; while sleep 0.3; do exec 4<&3 4<&-; done').strip()


def _act():
    """Everything that is watched; the containers stay, so that their files do.  Who did it, by container."""
    ids = {}
    for who, run, image in (('docker', real.docker, 'busybox:test'), ('podman', real.podman, real.IMAGE)):
        script = f'WHO={who}' + STEPS + MOUNTED + NAMES
        ids[who] = run('run', '-d', '--name', f'paths-{who}', '--network', 'none', *_mounts(who), image, 'sleep', '1000').strip()
        run('exec', f'paths-{who}', 'sh', '-c', script)
        # It is over at once.
        short = run('run', '-d', '--network', 'none', image, 'sh', '-c', f'echo {who}2-new > /m-new; /bin/cat /m-new').strip()
        ids[f'{who}2'] = short
    who = 'private'
    ids[who] = real.docker('run', '-d', '--name', 'paths-private', '--network', 'none', '--runtime', 'nores', '--privileged',
                           '--tmpfs', '/t', 'busybox:test', 'sleep', '1000').strip()
    real.docker('exec', 'paths-private', 'sh', '-c', f'WHO={who}\nset -e' + PRIVILEGED)
    _, ids['pod'] = real.pod('paths-pod')
    real.cri('ExecSync', {'container_id': ids['pod'], 'cmd': ['sh', '-c', 'WHO=pod' + STEPS + NAMES], 'timeout': 20})
    return ids


def _start(*args):
    said = open(file('said'), 'wb')
    p = subprocess.Popen([SAKER, *args], stdout=open(file('alerts'), 'wb'), stderr=said, env=real.ENV)
    end = time.time() + 60
    while time.time() < end and b'watching' not in open(said.name, 'rb').read():
        time.sleep(0.1)
    time.sleep(1)
    return p


def _stop(p):
    time.sleep(1)
    p.send_signal(signal.SIGINT)
    equal(p.wait(timeout=60), 0)


def _read_alerts(path):
    return [{'rule': a['rule'], **a['output_fields']} for a in map(json.loads, open(path, errors='replace'))]


def _of(who, name):
    """The alerts of this one reading a file of that name."""
    return [a for a in alerts if a['rule'] == 'Read' and a['container.id'] == _ids[who][:12]
            and a['fd.name'].rsplit('/', 1)[-1] == name]


_ids = {}


def _same_bytes(who, what):
    """What was read is what the host has there."""
    found = _of(who, f'm-{what}')
    check(found, who, what, 'was not seen')
    path = found[0]['fd.host_name']
    equal(found[0]['fd.host_status'], 'known', who, what, found[0])
    equal(open(path).read(), f'{who}-{what}\n', path)
    equal(found[0]['fs.path.host'], path)
    return found[0]


def saker_watches_containers():
    for who, run, image in (('docker', real.docker, 'busybox:test'), ('podman', real.podman, real.IMAGE)):
        _ids[f'{who}-old'] = _old(who, run, image)
    p = _start('run', '-r', file('rules.yaml', RULES + NAMED), '--json', *real.SOCKETS)
    try:
        _ids.update(_act())
    finally:
        _stop(p)
    alerts.extend(_read_alerts(_file_of('alerts')))
    check(alerts)


def _file_of(name):
    return os.path.join(os.path.dirname(file('here')), name)


def what_a_container_writes_is_in_its_upper_layer():
    for who in ('docker', 'podman', 'pod'):
        for what in IN_BOTH:
            _same_bytes(who, what)


def links_are_followed():
    for who in ('docker', 'podman', 'pod'):
        equal(_of(who, 'm-link')[0]['fd.resolved_name'], '/target')
        equal(_of(who, 'm-through')[0]['fd.resolved_name'], '/dir/m-through')


def a_container_that_ends_at_once_is_no_exception():
    for who in ('docker2', 'podman2'):
        _same_bytes(who, 'new')


def what_comes_with_the_image_is_in_a_lower_layer():
    for who in ('docker', 'podman', 'pod'):
        path = _of(who, 'passwd')[0]['fd.host_name']
        equal(open(path).read(), open(f'{real.STATE}/image/rootfs/etc/passwd').read(), path)


def what_is_changed_is_copied_up():
    for who in ('docker', 'podman', 'pod'):
        path = _of(who, 'group')[-1]['fd.host_name']
        check(open(path).read().endswith(f'\n{who}\n'), path)


def mounts_lead_to_where_they_come_from():
    for who in ('docker', 'podman'):
        equal(_same_bytes(who, 'bound')['fd.host_name'], f'{SHARED}/{who}/dir/m-bound')
        equal(open(_of(who, 'm-single')[0]['fd.host_name']).read(), f'{who}-single\n')
        _same_bytes(who, 'volume')


def a_tmpfs_of_a_container_is_said_to_be_one():
    for who in ('docker', 'podman'):
        a = _of(who, 'm-memory')[0]
        equal((a['fd.host_name'], a['fd.host_status']), ('tmpfs:/m-memory', 'elsewhere'))


def mounts_inside_a_container_are_seen_through():
    for what in ('below', 'again', 'chroot'):
        _same_bytes('private', what)


def executables_have_a_place_too():
    busybox = open(f'{real.STATE}/image/rootfs/bin/busybox', 'rb').read()
    for who in ('docker', 'podman', 'pod'):
        paths = {a['proc.exepath.host'] for a in _of(who, 'm-new')}
        equal(len(paths), 2, paths)  # the image's, and the one that was dropped
        for path in paths:
            equal(open(path, 'rb').read() == busybox, True, path)


def _named(who, name):
    """The last call of this one that named it: its two paths on the host, or the one."""
    fields = 'fs.path.name', 'fs.path.source', 'fs.path.target'
    found = [a for a in alerts if a['rule'] == 'Named' and a['container.id'] == _ids[who][:12]
             and any((a[f] or '').endswith(f'/n-{name}') for f in fields)]
    check(found, who, name, 'was not named')
    a = found[-1]
    return [a['fs.path.host']] if a['fs.path.name'] else [a['fs.path.host.source'], a['fs.path.host.target']]


def _upper(who):
    return _same_bytes(who, 'new')['fd.host_name'].removesuffix('/m-new')


def what_calls_name_is_where_they_did_it():
    for who in ('docker', 'podman', 'pod'):
        up = _upper(who)
        equal(_named(who, 'from'), [f'{up}/n-from', f'{up}/n-to'])
        equal(_named(who, 'sym'), [f'{up}/n-sym', f'{up}/n-to'])
        equal(_named(who, 'way'), [f'{up}/n1/n-a', f'{up}/n1/n-way'])
        equal(open(f'{up}/n1/n-way').read(), f'{who}-way\n')
        equal(_named(who, 'dir'), [f'{up}/n-dir'])
        equal(_named(who, 'hard'), [f'{up}/n-hard'])
        equal(open(_named(who, 'to')[0]).read(), f'{who}-to\n')
        equal(_named(who, 'image'), [f'{up}/etc/passwd', f'{up}/n-image'])
        equal(open(f'{up}/n-image').read(), open(f'{real.STATE}/image/rootfs/etc/passwd').read())


def mounts_are_seen_through_there_too():
    for who in ('docker', 'podman'):
        equal(_named(who, 'b'), [f'{SHARED}/{who}/dir/n-b1', f'{SHARED}/{who}/dir/n-b'])
        source, target = _named(who, 'v')
        equal((open(target).read(), os.path.dirname(source)), (f'{who}-v\n', os.path.dirname(target)))
        equal(_named(who, 't'), ['tmpfs:/n-t1', 'tmpfs:/n-t'])


def what_a_container_had_open_before_saker_has_a_place():
    busybox = open(f'{real.STATE}/image/rootfs/bin/busybox', 'rb').read()
    for who in ('docker', 'podman'):
        found = [a for a in alerts if a['rule'] == 'Found' and a['container.id'] == _ids[f'{who}-old'][:12]]
        check(found, who)
        equal(open(found[0]['fd.host_name']).read(), f'{who}-old\n')
        equal(open(found[0]['proc.exepath.host'], 'rb').read() == busybox, True)


def a_recording_replays_to_the_same():
    capture = file('paths.scap')
    p = _start('record', capture, *real.SOCKETS)
    try:
        real.docker('exec', 'paths-docker', 'sh', '-c', '/bin/cat /m-link /b/m-bound /t/m-memory')
    finally:
        _stop(p)
    out = subprocess.run([SAKER, 'replay', '-r', _file_of('rules.yaml'), '--json', capture], capture_output=True, text=True, check=True)
    seen = {}
    for a in (json.loads(line)['output_fields'] for line in out.stdout.splitlines()):
        if 'fd.name' in a: # the other rule is about calls that name files
            seen[a['fd.name']] = a['fd.host_name']
    for name in ('/m-link', '/b/m-bound', '/t/m-memory'):
        equal(seen.get(name), _of('docker', name.rsplit('/', 1)[-1])[0]['fd.host_name'])


real.with_runtimes(globals())
