# What somebody does who got in, one step after the other; recorded by tests/captures/scripts/record.
echo /tmp/x.so >>/etc/ld.so.preload
: >/etc/ld.so.preload
bash -c 'exec -a "[kworker/0:1]" true'
cp /usr/bin/true /tmp/xmrig
/tmp/xmrig --donate-level 1
mkdir -p /tmp/.cache
cp /usr/bin/true /tmp/.cache/agent
/tmp/.cache/agent
cat /root/.ssh/id_rsa
cat /root/.aws/credentials
cat /root/.mozilla/firefox/x.default/logins.json
cat /etc/sudoers
echo 'x:x:0:0::/:/bin/sh' >>/etc/passwd
cat /proc/self/root/etc/sudoers
echo '* * * * * root true' >/etc/cron.d/x
echo '[Service]' >/etc/systemd/system/x.service
echo 'kind: Pod' >/etc/kubernetes/manifests/x.yaml
echo 'true' >>/root/.bashrc
echo key >>/root/.ssh/authorized_keys
bash -c 'cat </dev/tcp/127.0.0.1/9'
GLIBC_TUNABLES=glibc.malloc.check=1 /usr/bin/mount --version
cp /usr/bin/bash /tmp/nginx
/tmp/nginx -c 'sh -c true; true'
cp /usr/bin/true /dev/shm/x
/dev/shm/x
rm /dev/shm/x
sleep 9 &
python3 -IS -c 'import sys; open("/proc/%s/mem" % sys.argv[1], "r+b", 0).close()' $!
kill $!
cp /usr/bin/python3 /tmp/helper
chmod u+s /tmp/helper
(echo 1000 >/proc/self/loginuid && exec setpriv --reuid 1000 --regid 1000 --clear-groups /tmp/helper -IS -c 'import os; os.setuid(0)')
setcap cap_setuid+ep /tmp/xmrig
true
