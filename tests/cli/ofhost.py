# SPDX-License-Identifier: Apache-2.0
"""Processes that are no container's, whatever the test itself is in."""
import glob
import os
import subprocess

_GROUPS = glob.glob('/sys/fs/cgroup/cgroup.procs') + glob.glob('/sys/fs/cgroup/*/cgroup.procs')


def popen(command, uid):
    """As that user, in the topmost control groups."""
    def enter():
        for group in _GROUPS:
            with open(group, 'w') as f:
                f.write('0')
        os.setgid(uid)
        os.setuid(uid)
    return subprocess.Popen(command, preexec_fn=enter)
