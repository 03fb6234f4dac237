# A quiet day: what the same rules must not mind; recorded by tests/captures/scripts/record.
cat /etc/passwd /etc/ld.so.conf
ls -la /root/.ssh /etc/cron.d /etc/systemd/system
bash -c 'exec -a my-service true'
mkdir -p /tmp/build
cp /usr/bin/true /tmp/build/test
/tmp/build/test
cat /root/.ssh/known_hosts /root/.ssh/id_rsa.pub
ls /root/.aws
ls /root/.mozilla/firefox/x.default
echo 'x' >/etc/passwd.bak
cat /proc/self/status
echo 'x' >/root/notes
bash -c 'echo hello; exit 0'
LANG=C /usr/bin/mount --version
cp /usr/bin/bash /tmp/tool
/tmp/tool -c 'sh -c true; true'
grep -c processor /proc/cpuinfo
cd /tmp/build
grep -r password= .
cat /proc/self/environ
ln -s /etc/hosts /tmp/hosts
echo note >/dev/shm/note
rm /dev/shm/note
: >/var/log/new.log
echo line >>/var/log/new.log
mv /var/log/new.log /var/log/new.log.1
bash -c 'HISTFILE=/root/.bash_history; history -s ls; history -w'
dd if=/dev/zero of=/tmp/image bs=1k count=1
wipefs /tmp/image
exec 3<>/dev/udp/127.0.0.1/9
sh -c true
exec 3>&-
strace -o /tmp/trace true
gdb -nx -batch -ex run /tmp/build/test
chmod 755 /tmp/build/test
getcap /tmp/build/test
chage -l root
(echo 1000 >/proc/self/loginuid && exec su root -c true)
dpkg -i /root/tool.deb
true
