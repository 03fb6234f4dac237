# What somebody does with packages and debuggers' means in a container; recorded by tests/captures/scripts/record.
dpkg -i /root/tool.deb
perl -e '@all = getpwnam("root")'
perl -e '@all = getpwnam("root")' /usr/sbin/deluser
PERL5OPT=-Mstrict perl -w /usr/bin/debconf-show tzdata
sleep 5 &
perl -e 'syscall(101, 16902, 0 + $ARGV[0], 0, 0)' $!
sh -c 'perl -e "syscall(101, 16902, getppid, 0, 0)"; true'
kill %1
true
