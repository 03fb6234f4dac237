# SPDX-License-Identifier: Apache-2.0
"""The hierarchies of control groups that this machine has, how to make a group in each, and how to leave all groups."""
import glob
import os

# Other folders there are groups, or nothing.
HIERARCHIES = [d for d in map(os.path.dirname, glob.glob('/sys/fs/cgroup/cgroup.procs') + glob.glob('/sys/fs/cgroup/*/cgroup.procs'))
               if os.path.ismount(os.path.realpath(d))]


def groups_of(path):
    return [os.path.join(h, path.strip('/')) for h in HIERARCHIES]


def _make(folder):
    """Below cpuset a group must be told where to run before anybody may enter."""
    os.makedirs(folder, exist_ok=True)
    for name in ('cpuset.cpus', 'cpuset.mems'):
        own, above = os.path.join(folder, name), os.path.join(os.path.dirname(folder), name)
        if os.path.exists(own) and os.path.exists(above) and not open(own).read().strip():
            with open(own, 'w') as f:
                f.write(open(above).read())


def make_groups(path):
    """A group of this path in every hierarchy, and those above it; their folders."""
    for h in HIERARCHIES:
        at = h
        for part in path.strip('/').split('/'):
            at = os.path.join(at, part)
            _make(at)
    return groups_of(path)


def be_of_the_host():
    """Where this machine is a container itself, its name may be in some hierarchy."""
    for path in HIERARCHIES:
        with open(os.path.join(path, 'cgroup.procs'), 'w') as f:
            f.write('0')
