# Questions about packages and accounts in a container, and a program that looks for its own leaks; recorded by
# tests/captures/scripts/record.
dpkg -l
dpkg -s tool
dpkg --status tool
dpkg -V
dpkg --validate-version 1.0
dpkg --print-architecture
dpkg-query -W
debconf-show tzdata
deluser nobody-here
DEBIAN_FRONTEND=noninteractive dpkg-reconfigure tzdata
/root/leaks
/root/leaks with-a-thread
true
