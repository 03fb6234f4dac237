# A quiet day in a container: what the same rules must not mind; recorded by tests/captures/scripts/record-inside.
cat /proc/sys/kernel/core_pattern
mkfifo /tmp/fifo
mkdir -p /mnt
mount -t tmpfs none /mnt
unshare -m true
ls /bin/dpkg /bin/ctr /bin/chattr
ip link set lo up
wget -q -O - http://127.0.0.1/latest
cat /proc/1/status
mkdir -p /run/secrets/kubernetes.io/serviceaccount
echo x >/run/secrets/kubernetes.io/serviceaccount/token
ls -l /run/secrets/kubernetes.io/serviceaccount
ls /sockets
true
