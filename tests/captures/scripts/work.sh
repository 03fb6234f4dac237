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
true
