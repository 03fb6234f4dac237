# SPDX-License-Identifier: Apache-2.0
"""Images of Saker for tests, as deploy/Dockerfile makes them: the program, what it links to, its rules; with capabilities of the
file for a user who is not root, or for root."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE, OF_ROOT = 'docker.io/library/saker:test', 'docker.io/library/saker:root'
CAPABILITIES = {'DAC_READ_SEARCH': 2, 'SYS_PTRACE': 19, 'PERFMON': 38, 'BPF': 39}


def _said(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def _libraries(program):
    return re.findall(r'(/\S+) \(0x', _said('ldd', program))


def _put(root, path, at=None):
    to = root + (at or path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    shutil.copy(path, to)


def _set_capabilities(path):
    """As `setcap cap_bpf,...+ep` does."""
    bits = sum(1 << n for n in CAPABILITIES.values())
    words = (0x02000001, bits & 0xffffffff, 0, bits >> 32, 0)
    os.setxattr(path, 'security.capability', b''.join(w.to_bytes(4, 'little') for w in words))


def make(name, tar, saker, rules, root):
    """A tar that every runtime loads of the image of that name; root: a folder to make it in."""
    curl = re.search(r'libcurl\.so\.4 .* => (\S+)', _said('/sbin/ldconfig', '-p'))[1]  # opened when it is needed
    for path in [*_libraries(saker), curl, *_libraries(curl)]:
        _put(root, path)
    _put(root, saker, '/usr/local/bin/saker')
    if name == IMAGE:
        _set_capabilities(f'{root}/usr/local/bin/saker')
    _put(root, rules, '/usr/local/share/saker/rules/saker_rules.yaml')
    os.makedirs(f'{root}/host', exist_ok=True)
    subprocess.run([sys.executable, f'{HERE}/image/mkimg.py', tar, name, root, '/usr/local/bin/saker'], check=True,
                   env={**os.environ, 'IMAGE_USER': '65532:0' if name == IMAGE else ''}, stdout=subprocess.DEVNULL)
