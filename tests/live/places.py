# SPDX-License-Identifier: Apache-2.0
"""Where files are on the host: a process with mounts of its own does everything that may be done to a file, and what `saker
run` says is compared, by reading the same bytes there where that can be.  Needs root.

Each situation is a row of TABLE: what it is, what the process does, and what is said of it.  With `actor BASE` this is that
process.  Names of situations are in the files' names, so that each alert says which one it is of.
"""
import ctypes
import json
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, done, equal, file, run, saker  # noqa: E402

libc = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_PRIVATE_ALL, MNT_DETACH = 4096, 1 << 18 | 16384, 2
AT_FDCWD = -100


def _mount(source, target, kind=None, flags=0, data=None):
    if libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, data and data.encode()):
        raise OSError(ctypes.get_errno(), 'mount', target)


def _umount(target, flags=0):
    if libc.umount2(target.encode(), flags):
        raise OSError(ctypes.get_errno(), 'umount', target)


# ---- the process ----

def _write(path, text=None):
    with open(path, 'w') as f:
        f.write((text or path.rsplit('/', 1)[-1]) + '\n')


def _read(path, flags=os.O_RDONLY, **more):
    fd = os.open(path, flags, **more)
    os.read(fd, 99)
    os.close(fd)


def _new(path):
    _write(path)
    _read(path)


def _in_chroot(root, path):
    pid = os.fork()
    if not pid:
        os.chroot(root)
        os.chdir('/')
        _read(path)
        os._exit(0)
    os.waitpid(pid, 0)


def _from(folder, do):
    """With that as the working directory."""
    os.chdir(folder)
    do()
    os.chdir('/')


def _at(folder, do):
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    do(fd)
    os.close(fd)


def _copy_up(path):
    with open(path, 'a') as f:
        f.write('more\n')


def _renamed(a, b):
    _write(a)
    os.rename(a, b)
    _read(b)


def _carried(a, b, name):
    os.mkdir(a)
    _write(f'{a}/{name}')
    os.rename(a, b)
    _read(f'{b}/{name}')


def _linked(target, link, folder=False):
    _write(target)
    os.symlink(os.path.dirname(target) if folder else target, link)
    _read(f'{link}/{os.path.basename(target)}' if folder else link)


def _gone(path):
    _write(path)
    fd = os.open(path, os.O_RDONLY)
    os.unlink(path)
    _read(f'/proc/self/fd/{fd}')


def _memory(name):
    fd = os.memfd_create(name)
    _read(f'/proc/self/fd/{fd}')


def _detached(folder, name):
    """A file of a mount that is in no tree any more."""
    os.makedirs(folder)
    _mount('/src', folder, flags=MS_BIND)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    _umount(folder, MNT_DETACH)
    _read(name, dir_fd=fd)
    os.close(fd)


def _covered(path):
    """Of a folder over which the host mounted something."""
    _read(path)


def _run(path):
    subprocess.run([path, '0'], check=True)


def _from_memory(path, name):
    """A program that is in memory only."""
    fd = os.memfd_create(name)
    with open(path, 'rb') as f:
        os.write(fd, f.read())
    pid = os.fork()
    if not pid:
        os.execve(fd, [name, '0'], os.environ)
    os.waitpid(pid, 0)


def _bound(source, target):
    os.mkdir(target)
    _mount(source, target, flags=MS_BIND)
    _umount(target)


def _far(path):
    """By the way of another process that has other mounts."""
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        libc.unshare(0x20000)
        _mount('/src', '/far', flags=MS_BIND)
        os.write(w, b'x')
        time.sleep(60)
    os.read(r, 1)
    _read(f'/proc/{pid}/root{path}')
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


class _Ring:
    """An io_uring for one operation at a time."""

    OPS = {'renameat': 35, 'unlinkat': 36, 'mkdirat': 37, 'symlinkat': 38, 'linkat': 39}

    def __init__(self):
        params = ctypes.create_string_buffer(120)
        self.fd = libc.syscall(425, 4, params)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), 'io_uring_setup')
        sq, cq = struct.unpack_from('10I', params, 40), struct.unpack_from('10I', params, 80)
        self.sq_tail, self.sq_array, self.cq_head, self.cqes = sq[1], sq[6], cq[0], cq[5]
        self.rings = mmap.mmap(self.fd, max(sq[6] + 4 * 4, cq[5] + 8 * 16), offset=0)
        self.entries = mmap.mmap(self.fd, 4 * 64, offset=0x10000000)

    def _number(self, at):
        return struct.unpack_from('I', self.rings, at)[0]

    def do(self, name, fd, path, number=0, path2=None, flags=0):
        """Of renameat and linkat, number is the second directory."""
        texts = [ctypes.create_string_buffer(p.encode()) if p else None for p in (path, path2)]
        first, second = (ctypes.addressof(t) if t else 0 for t in texts)
        struct.pack_into('BBHiQQIIQ24x', self.entries, 0, self.OPS[name], 0, 0, fd, second, first, number & 0xffffffff, flags, 0)
        struct.pack_into('I', self.rings, self.sq_array, 0)
        struct.pack_into('I', self.rings, self.sq_tail, self._number(self.sq_tail) + 1)
        libc.syscall(426, self.fd, 1, 1, 1, None, 0)
        head = self._number(self.cq_head)
        result = struct.unpack_from('i', self.rings, self.cqes + 16 * (head & 7) + 8)[0]
        struct.pack_into('I', self.rings, self.cq_head, head + 1)
        if result:
            raise OSError(-result, name)


def _ring(*args, **more):
    _Ring().do(*args, **more)


# What the actor has below its base: host folders src, lower, lower2, up, up2, plain; in its own mounts: /merged is an overlay
# of lower2 and lower with up; /nested one of /merged with up2; /bound is src, /single a file of it, /private a tmpfs.  It does
# all of this in a root of its own, BASE/root, where the base's folders are bound to these names.
KNOWN, NONE = 'known', '<NA>'
TABLE = [
    # situation, do, status, path on the host below the base (or what is said instead)
    ('plain', 'a file of the host', lambda: _new('/src/s-plain'), KNOWN, 'src/s-plain'),
    ('new', 'written in an overlay', lambda: _new('/merged/s-new'), KNOWN, 'up/s-new'),
    ('image', 'of the lower layer', lambda: _read('/merged/s-image'), KNOWN, 'lower/s-image'),
    ('top', 'of the upper one of two lower layers', lambda: _read('/merged/s-top'), KNOWN, 'lower2/s-top'),
    ('copied', 'of the lower layer, changed', lambda: _copy_up('/merged/s-copied'), KNOWN, 'up/s-copied'),
    ('nest', 'written in an overlay on an overlay', lambda: _new('/nested/s-nest'), KNOWN, 'up2/s-nest'),
    ('nestimage', 'of the lowest layer of both', lambda: _read('/nested/s-nestimage'), KNOWN, 'lower/s-nestimage'),
    ('bind', 'in a bind mount', lambda: _new('/bound/s-bind'), KNOWN, 'src/s-bind'),
    ('single', 'a bind mount of one file', lambda: _read('/s-single'), KNOWN, 'src/s-single'),
    ('renamed', 'renamed', lambda: _renamed('/merged/x1', '/merged/s-renamed'), KNOWN, 'up/s-renamed'),
    ('carried', 'in a renamed directory', lambda: _carried('/merged/d1', '/merged/d2', 's-carried'), KNOWN, 'up/d2/s-carried'),
    ('link', 'by a symbolic link', lambda: _linked('/merged/x2', '/merged/s-link'), KNOWN, 'up/x2'),
    ('way', 'by a link to its directory', lambda: _linked('/src/s-way', '/merged/l1', folder=True), KNOWN, 'src/s-way'),
    ('hard', 'by a hard link, the first name gone', lambda: (_write('/merged/x3'), os.link('/merged/x3', '/merged/s-hard'), os.unlink('/merged/x3'),
                                _read('/merged/s-hard')),
     KNOWN, 'up/s-hard'),
    ('dots', "with '..'", lambda: (_write('/src/s-dots'), _read('/merged/../bound/.././src//s-dots')), KNOWN, 'src/s-dots'),
    ('procroot', 'by /proc/self/root', lambda: _read('/proc/self/root/src/s-procroot'), KNOWN, 'src/s-procroot'),
    ('cwd', 'by a relative name', lambda: _from('/merged', lambda: _new('s-cwd')), KNOWN, 'up/s-cwd'),
    ('dirfd', 'in an open directory', lambda: _at('/src', lambda fd: _read('s-dirfd', dir_fd=fd)), KNOWN, 'src/s-dirfd'),
    ('chroot', 'in a chroot', lambda: _in_chroot('/merged', '/s-chroot'), KNOWN, 'lower/s-chroot'),
    ('far', 'in mounts of another namespace', lambda: _far('/far/s-far'), KNOWN, 'src/s-far'),
    ('detached', 'in a mount that was detached', lambda: _detached('/det', 's-detached'), KNOWN, 'src/s-detached'),
    ('private', "in a tmpfs of the process' own", lambda: _new('/private/s-private'), 'elsewhere', 'tmpfs:/s-private'),
    ('covered', 'below something that the host mounted over it', lambda: _covered('/covered/s-covered'), 'elsewhere', None),
    ('gone', 'removed, and opened by its descriptor', lambda: _gone('/merged/s-gone'), 'no_path', NONE),
    ('memory', 'in memory (memfd)', lambda: _memory('s-memory'), 'no_path', NONE),
    ('tmpfile', 'without a name (O_TMPFILE)',
     lambda: os.close(os.open('/src/s-tmpfile', os.O_TMPFILE | os.O_RDWR)), 'no_path', NONE),
]
NAMED = [
    # event types, what it is, do, source, target (of calls with one name: that, None); of removed ones where they were
    ('ren', 'rename', lambda: os.rename('/merged/s-ren1', '/merged/s-ren2'), 'up/s-ren1', 'up/s-ren2'),
    ('renat', 'rename in open directories', lambda: _at('/src', lambda fd: os.rename('s-renat1', 's-renat2', src_dir_fd=fd,
                                                                                     dst_dir_fd=fd)),
     'src/s-renat1', 'src/s-renat2'),
    ('renway', 'rename by links, dots and /proc/self/root',
     lambda: os.rename('/proc/self/root/l2/s-renway1', '/merged/../proc/self/cwd/src//s-renway2'), 'src/s-renway1', 'src/s-renway2'),
    ('renpriv', 'rename in a tmpfs of its own',
     lambda: (_write('/private/s-renpriv1'), os.rename('/private/s-renpriv1', '/private/s-renpriv2')),
     'tmpfs:/s-renpriv1', 'tmpfs:/s-renpriv2'),
    ('rencwd', 'rename by relative names', lambda: _from('/bound', lambda: os.rename('s-rencwd1', '../bound/s-rencwd2')),
     'src/s-rencwd1', 'src/s-rencwd2'),
    ('link', 'link (source: the new name)', lambda: os.link('/merged/s-link1', '/merged/s-link2'), 'up/s-link2', 'up/s-link1'),
    ('sym', 'symlink (target: where it leads to)', lambda: os.symlink('/bound/s-sym1', '/merged/s-sym2'), 'up/s-sym2', 'src/s-sym1'),
    ('mkdir', 'mkdir', lambda: os.mkdir('/merged/s-mkdir'), 'up/s-mkdir', None),
    ('mkdirat', 'mkdir in an open directory', lambda: _at('/bound', lambda fd: os.mkdir('s-mkdirat', dir_fd=fd)), 'src/s-mkdirat',
     None),
    ('rmdir', 'rmdir', lambda: os.rmdir('/merged/s-rmdir'), 'up/s-rmdir', None),
    ('unlink', 'unlink', lambda: os.unlink('/bound/s-unlink'), 'src/s-unlink', None),
    ('unlower', 'unlink of the lower layer: the mark in the upper', lambda: os.unlink('/merged/s-unlower'), 'up/s-unlower', None),
    ('unnest', 'unlink in an overlay on an overlay', lambda: os.unlink('/nested/s-unnest'), 'up2/s-unnest', None),
    ('chmod', 'chmod by a link', lambda: os.chmod('/merged/s-chmod', 0o600), 'src/chmod', None),
    ('chmodlow', 'chmod of the lower layer: its copy', lambda: os.chmod('/merged/s-chmodlow', 0o600), 'up/s-chmodlow', None),
    ('chmodfd', 'chmod by /proc/self/fd', lambda: _at('/src/s-chmodfd', lambda fd: os.chmod(f'/proc/self/fd/{fd}', 0o700)),
     'src/s-chmodfd', None),
    ('chown', 'chown', lambda: os.chown('/bound/s-chown', 1, 1), 'src/s-chown', None),
    ('lchown', 'chown of the link itself', lambda: os.chown('/merged/s-lchown', 1, 1, follow_symlinks=False), 'up/s-lchown', None),
    ('ringren', 'rename over io_uring', lambda: _at('/src', lambda fd: _ring('renameat', fd, 's-ringren1', AT_FDCWD, '/merged/../src/s-ringren2')),
     'src/s-ringren1', 'src/s-ringren2'),
    ('ringun', 'unlink over io_uring', lambda: _ring('unlinkat', AT_FDCWD, '/bound/s-ringun'), 'src/s-ringun', None),
    ('ringmk', 'mkdir over io_uring', lambda: _ring('mkdirat', AT_FDCWD, '/merged/s-ringmk', 0o700), 'up/s-ringmk', None),
    ('ringsym', 'symlink over io_uring', lambda: _ring('symlinkat', AT_FDCWD, '/bound/s-ringsym1', path2='/merged/s-ringsym2'),
     'up/s-ringsym2', 'src/s-ringsym1'),
    ('ringlink', 'link over io_uring', lambda: _ring('linkat', AT_FDCWD, '/merged/s-ringlink1', AT_FDCWD, '/merged/s-ringlink2'),
     'up/s-ringlink2', 'up/s-ringlink1'),
    ('mount', 'mount', lambda: _bound('/src', '/merged/s-mount'), 'src', 'up/s-mount'),
]
FOUND = {'s-foundplain': '/src/s-foundplain', 's-foundup': '/merged/s-foundup', 's-foundlow': '/merged/s-foundlow',
         's-foundpriv': '/private/s-foundpriv', 's-foundgone': '/merged/s-foundgone'}
FOUND_AT = {'s-foundplain': ('known', 'src/s-foundplain'), 's-foundup': ('known', 'up/s-foundup'),
            's-foundlow': ('known', 'lower/s-foundlow'), 's-foundpriv': ('elsewhere', 'tmpfs:/s-foundpriv'),
            's-foundgone': ('no_path', NONE)}
PROGRAMS = {'s-exelow': 'lower/s-exelow', 's-exeup': 'up/s-exeup', 's-exemem': NONE, 's-exefound': 'lower/s-exefound'}


def _prepare(base):
    """The host's side: a tmpfs that it knows, so that this does not depend on what the machine's root is."""
    _mount('places', base, 'tmpfs')
    for name in ('src', 'lower', 'lower2', 'up', 'work', 'up2', 'work2', 'root', 'cover'):
        os.mkdir(f'{base}/{name}')
    for name in ('image', 'copied', 'nestimage', 'chroot', 'unlower', 'unnest', 'chmodlow', 'foundlow'):
        _write(f'{base}/lower/s-{name}')
    _write(f'{base}/lower2/s-top')
    _write(f'{base}/lower/s-top', 'hidden')
    for name in ('single', 'procroot', 'dirfd', 'far', 'detached', 'foundplain', 'renat1', 'renway1', 'ringren1', 'ringun', 'ringsym1', 'rencwd1', 'sym1', 'unlink',
                 'chown'):
        _write(f'{base}/src/s-{name}')
    _write(f'{base}/src/chmod')
    os.mkdir(f'{base}/src/s-chmodfd')
    os.mkdir(f'{base}/src/s-tmpfile')
    _write(f'{base}/cover/s-covered')
    for name in ('s-exelow', 's-exefound'):
        shutil.copy('/bin/sleep', f'{base}/lower/{name}')


def _build(base):
    """The actor's side: its own mounts, then a root in which they have short names."""
    root = f'{base}/root'
    _mount('none', '/', flags=MS_PRIVATE_ALL)
    _mount(root, root, flags=MS_BIND)
    for name in ('src', 'merged', 'nested', 'bound', 'private', 'covered', 'far', 'proc', 'dev', 'tools'):
        os.mkdir(f'{root}/{name}')
    overlay = f'lowerdir={base}/lower2:{base}/lower,upperdir={base}/up,workdir={base}/work'
    _mount('overlay', f'{root}/merged', 'overlay', 0, overlay)
    overlay = f'lowerdir={root}/merged,upperdir={base}/up2,workdir={base}/work2'
    _mount('overlay', f'{root}/nested', 'overlay', 0, overlay)
    _mount(f'{base}/src', f'{root}/src', flags=MS_BIND)
    _mount(f'{base}/src', f'{root}/bound', flags=MS_BIND)
    _write(f'{root}/s-single', '')
    _mount(f'{base}/src/s-single', f'{root}/s-single', flags=MS_BIND)
    _mount(f'{base}/cover', f'{root}/covered', flags=MS_BIND)
    _mount('own', f'{root}/private', 'tmpfs')
    _mount('/proc', f'{root}/proc', flags=MS_BIND | 16384)
    _mount('/dev', f'{root}/dev', flags=MS_BIND | 16384)
    for name in ('lib', 'lib64', 'usr'):  # for programs that are not static
        if os.path.islink(f'/{name}'):
            os.symlink(os.readlink(f'/{name}'), f'{root}/{name}')
        elif os.path.isdir(f'/{name}'):
            os.mkdir(f'{root}/{name}')
            _mount(f'/{name}', f'{root}/{name}', flags=MS_BIND)


def _ready_names():
    """What the named calls work on."""
    for path in ('/merged/s-ren1', '/merged/s-link1', '/merged/s-ringlink1', '/merged/s-foundup', '/private/s-foundpriv', '/merged/s-foundgone'):
        _write(path)
    os.mkdir('/merged/s-rmdir')
    os.symlink('/src', '/l2')
    os.symlink('../bound/chmod', '/merged/s-chmod')
    os.symlink('nowhere', '/merged/s-lchown')
    shutil.copy('/merged/s-exelow', '/merged/s-exeup')


def _actor(base):
    _build(base)
    os.chroot(f'{base}/root')
    os.chdir('/')
    _ready_names()
    found = [os.open(path, os.O_RDONLY) for path in FOUND.values()]
    os.unlink(FOUND['s-foundgone'])
    old = subprocess.Popen(['/merged/s-exefound', '1000'])
    print('ready', flush=True)
    sys.stdin.readline()
    for fd in found:
        os.fchmod(fd, 0o600)
    old.kill()
    old.wait()
    for _, _, do, *_ in TABLE + NAMED:
        do()
    _run('/merged/s-exelow')
    _run('/merged/s-exeup')
    _from_memory('/merged/s-exelow', 's-exemem')
    print('done', flush=True)
    sys.stdin.readline()


# ---- the test ----

RULES = '''
- rule: Opened
  desc: a file, or what was open before
  condition: >
    evt.type in (open, openat, openat2, fchmod) and fd.num >= 0 and evt.rawres >= 0 and fd.name contains "s-" and proc.cmdline contains "places.py actor"
  output: "%evt.type %fd.name %fs.path.name %fd.host_name %fd.host_status %fd.resolved_name"
  priority: INFO
- rule: Memory
  desc: opened by its descriptor
  condition: >
    evt.type in (open, openat) and fd.num >= 0 and fd.name startswith /proc/self/fd/ and proc.cmdline contains "places.py actor"
  output: "%evt.type %fd.name %fd.host_name %fd.host_status %fd.resolved_name"
  priority: INFO
- rule: Named
  desc: by name alone
  condition: >
    evt.type in (rename, renameat, renameat2, link, linkat, symlink, symlinkat, mkdir, mkdirat, rmdir, unlink, unlinkat, chmod,
    fchmodat, chown, lchown, fchownat, mount) and evt.rawres = 0 and proc.cmdline contains "places.py actor"
  output: "%evt.type %fs.path.name %fs.path.host %fs.path.source %fs.path.host.source %fs.path.target %fs.path.host.target"
  priority: INFO
- rule: Ran
  desc: a program
  condition: evt.type = procexit and proc.exe contains s-exe
  output: "%proc.exe %proc.exepath.host"
  priority: INFO
'''

# What a file that is read holds, where that is not its name.
HOLDS = {'renamed': 'x1', 'link': 'x2', 'hard': 'x3'}
BASE = os.path.join(TMP, 'base')
_problems = []


def _start_actor():
    os.makedirs(BASE, exist_ok=True)
    _prepare(BASE)
    p = subprocess.Popen(['unshare', '--mount', sys.executable, os.path.abspath(__file__), 'actor', BASE],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    equal(p.stdout.readline(), 'ready\n')
    _mount('over', f'{BASE}/cover', 'tmpfs')
    return p


def _step(p, answer):
    p.stdin.write('\n')
    p.stdin.flush()
    if answer:
        equal(p.stdout.readline(), answer)


def _end_actor(p):
    p.stdin.close()
    p.wait(timeout=60 * PATIENCE)
    _umount(f'{BASE}/cover', MNT_DETACH)
    _umount(BASE, MNT_DETACH)


def _alerts(lines, to):
    for line in lines.splitlines():
        a = json.loads(line)
        to.setdefault(a['rule'], []).append(a['output_fields'])


def _until(path, text):
    end = time.time() + 60 * PATIENCE
    while text not in open(path, 'rb').read():
        check(time.time() < end, open(path).read())
        time.sleep(0.05)


def _stop(p, said):
    p.send_signal(signal.SIGINT)
    equal(p.wait(timeout=60 * PATIENCE), 0, open(said).read())
    check('refuses' not in open(said).read(), open(said).read())


def _watch(rules, out, capture):
    """One watches and one records, while the process does it all."""
    said = [file('said-run'), file('said-record')]
    p = _start_actor()
    watchers = []
    try:
        for args, to in ((['run', '-r', rules, '--json'], said[0]), (['record', capture], said[1])):
            watchers.append(subprocess.Popen([SAKER, *args, '--no-runtimes'], stdout=open(out, 'ab'), stderr=open(to, 'wb')))
            _until(to, b'watching')
        time.sleep(1)
        _step(p, 'done\n')
        time.sleep(1)
        for w, to in zip(watchers, said):
            _stop(w, to)
        _check_all(open(out).read())
    finally:
        for w in watchers:
            w.kill()
        _end_actor(p)


def each_situation_is_told_as_the_table_has_it():
    rules, out, capture = file('rules.yaml', RULES), file('out'), os.path.join(TMP, 'all.scap')
    _watch(rules, out, capture)
    equal(_problems, [])


def a_recording_tells_the_same():
    replayed = done(saker('replay', '--rules', os.path.join(TMP, 'rules.yaml'), '--json', os.path.join(TMP, 'all.scap'))).decode()
    _check_all(replayed, quiet=True)
    equal(_problems, [])


def _of(seen, key):
    """What was said of the file when it was opened last."""
    if key in ('gone', 'memory'):
        found = seen['Memory']
        return found[0 if key == 'gone' else 1]
    found = [a for a in seen['Opened'] if a['evt.type'] != 'fchmod' and f's-{key}' in a['fd.name'].split('/')]
    check(found, key, 'was not seen')
    return found[-1]


def _path(text):
    """As the table has it."""
    return text.removeprefix(f'{BASE}/') if text else NONE


def _show(*cells):
    print('# ' + ' | '.join(str(c) for c in cells))


def _check_all(lines, quiet=False):
    seen = {}
    _alerts(lines, seen)
    _row = (lambda *cells: None) if quiet else _show
    check(set(seen) == {'Opened', 'Memory', 'Named', 'Ran'}, set(seen))
    for key, what, _, status, want in TABLE:
        a = _of(seen, key)
        got = a['fd.host_name']
        _row(what, a['fd.name'], a['fd.host_status'], _path(got))
        _problems.extend(_wrong(key, [a['fd.host_status'], _path(got)], [status, want or _path(got)]))
        if status == KNOWN and not quiet:  # the files are there no more
            with open(got) as f:
                _problems.extend(_wrong(key, f.readline(), HOLDS.get(key, f's-{key}') + '\n'))
    for key, what, _, *want in NAMED:
        a = _named(seen, key)
        got = _named_paths(a)
        _row(what, a['evt.type'], *got)
        _problems.extend(_wrong(key, got, want))
    for name, (status, want) in FOUND_AT.items():
        found = [a for a in seen['Opened'] if a['evt.type'] == 'fchmod' and a['fd.name'].split(' ')[0].endswith('/' + name)]
        check(found, name, 'was not seen')
        got = [found[0]['fd.host_status'], _path(found[0]['fd.host_name'])]
        _row('open before Saker', name, *got)
        _problems.extend(_wrong(name, got, [status, want]))
    for name, want in PROGRAMS.items():
        got = [_path(a['proc.exepath.host']) for a in seen['Ran'] if a['proc.exe'].endswith(name)]
        _row('program', name, *got)
        _problems.extend(_wrong(name, got, [want]))


def _wrong(key, got, want):
    return [] if got == want else [f'{key}: got {got!r}, want {want!r}']


def _named(seen, key):
    names = (f's-{key}', f's-{key}1', f's-{key}2')
    fields = ('fs.path.name', 'fs.path.source', 'fs.path.target')
    if key == 'chmodfd':
        found = [a for a in seen['Named'] if (a['fs.path.name'] or '').startswith('/proc/self/fd/')]
    else:
        found = [a for a in seen['Named'] if any((a[f] or '').rsplit('/', 1)[-1] in names for f in fields)]
    check(found, key, 'was not seen')
    return found[-1]


def _named_paths(a):
    if a['fs.path.name']:
        return [_path(a['fs.path.host']), None]
    return [_path(a['fs.path.host.source']), _path(a['fs.path.host.target'])]


if __name__ == '__main__':
    if sys.argv[1:2] == ['actor']:
        _actor(sys.argv[2])
    elif os.geteuid():
        print('1..0 # SKIP needs root')
    else:
        run(globals())
