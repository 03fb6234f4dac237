# SPDX-License-Identifier: Apache-2.0
"""The hierarchies of control groups that this machine has, and how to leave all groups."""
import glob
import os

HIERARCHIES = [os.path.dirname(p) for p in glob.glob('/sys/fs/cgroup/cgroup.procs') + glob.glob('/sys/fs/cgroup/*/cgroup.procs')]


def be_of_the_host():
    """Where this machine is a container itself, its name may be in some hierarchy."""
    for path in HIERARCHIES:
        with open(os.path.join(path, 'cgroup.procs'), 'w') as f:
            f.write('0')
