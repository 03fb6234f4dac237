# What somebody does who knows that engines may; recorded by tests/captures/scripts/record-engine.
cp /usr/bin/dash /usr/local/bin/dockerd
dockerd -c 'echo "* * * * * root true" >/etc/cron.d/x'
bash -c 'exec -a docker-applyLayer cp /usr/bin/true /usr/bin/x' / /var/lib/docker/overlay2/0f/diff
true
