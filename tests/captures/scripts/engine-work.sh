# Engines in a container unpack an image; recorded by tests/captures/scripts/record-engine.
dockerd --data-root /var/lib/docker --exec-root /run/docker --pidfile /run/docker.pid --host unix:///run/docker.sock \
	--iptables=false --bridge=none &
until docker version; do sleep 1; done
docker load -i /image.tar
podman load -i /image.tar
kill $!
wait
true
