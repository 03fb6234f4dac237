# SPDX-License-Identifier: Apache-2.0
"""The hierarchies of control groups that this machine has, and how to leave all groups."""
import glob
import os

# Other folders there are groups, or nothing.
HIERARCHIES = [d for d in map(os.path.dirname, glob.glob('/sys/fs/cgroup/cgroup.procs') + glob.glob('/sys/fs/cgroup/*/cgroup.procs'))
               if os.path.ismount(os.path.realpath(d))]


def be_of_the_host():
    """Where this machine is a container itself, its name may be in some hierarchy."""
    for path in HIERARCHIES:
        with open(os.path.join(path, 'cgroup.procs'), 'w') as f:
            f.write('0')
