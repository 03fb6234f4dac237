#!/bin/sh -e
# SPDX-License-Identifier: Apache-2.0
# $1 = output dir
R=$1; rm -rf $R; mkdir -p $R/bin $R/etc $R/tmp $R/root $R/proc $R/sys $R/dev $R/var $R/usr/bin
cp /bin/busybox $R/bin/busybox
for a in $(/bin/busybox --list); do [ $a = busybox ] || ln -sf busybox $R/bin/$a; done
echo 'root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
app:x:1000:1000:app:/:/bin/sh' > $R/etc/passwd
echo 'root:*:19000:0:99999:7:::' > $R/etc/shadow
echo 'root:x:0:
nogroup:x:65534:
app:x:1000:' > $R/etc/group
chmod 1777 $R/tmp
