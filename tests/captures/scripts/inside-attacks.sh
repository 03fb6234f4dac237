# What somebody does who got into a privileged container; recorded by tests/captures/scripts/record-inside.
: >/proc/sys/kernel/core_pattern
mknod /tmp/disk b 7 200
nsenter -t 1 -m true
unshare -m true
mkdir -p /mnt
mount -t tmpfs none /mnt
arping -c 1 -w 1 -I lo 127.0.0.1
dpkg --help
ip link set lo up
ip addr add 169.254.169.254/32 dev lo
httpd -p 80
wget -O /tmp/page http://169.254.169.254/latest
nc -w 1 127.0.0.1 9
cat /proc/1/root/etc/passwd
mkdir -p /run/secrets/kubernetes.io/serviceaccount
echo x >/run/secrets/kubernetes.io/serviceaccount/token
cat /run/secrets/kubernetes.io/serviceaccount/token
ctr --address /sockets/containerd.sock version
chattr +i /tmp/page
bpftool prog load /program.o /sys/fs/bpf/saker-recorded
rm /sys/fs/bpf/saker-recorded
true
