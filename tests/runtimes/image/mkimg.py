#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mkimg.py OUT.tar NAME:TAG ROOTDIR [ENTRYPOINT...]: one tar that is at once an OCI layout (ctr import, skopeo oci-archive)
and a docker-archive (docker load, podman load).  IMAGE_USER in the environment: as whom it runs."""
import hashlib,io,json,os,sys,tarfile
out,name,root,*ep=sys.argv[1:]
sha=lambda b:hashlib.sha256(b).hexdigest()
def capability(path):
    try: return {'SCHILY.xattr.security.capability': os.getxattr(path,'security.capability',follow_symlinks=False).decode('utf-8','surrogateescape')}
    except OSError: return {}
def norm(ti): ti.uid=ti.gid=0; ti.uname=ti.gname='root'; ti.mtime=0; ti.pax_headers=capability(os.path.join(root,ti.name)); return ti
b=io.BytesIO()
with tarfile.open(fileobj=b,mode='w',format=tarfile.PAX_FORMAT) as t:
    for e in sorted(os.listdir(root)): t.add(os.path.join(root,e),arcname=e,filter=norm)
layer=b.getvalue(); ld=sha(layer)
cfg=json.dumps({"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z",
  "config":{"User":os.environ.get("IMAGE_USER",""),"Env":["PATH=/bin:/usr/bin:/sbin:/usr/sbin"],"Entrypoint":ep or None,"Cmd":None if ep else ["sh"],
            "Labels":{"org.example.image":name}},
  "rootfs":{"type":"layers","diff_ids":["sha256:"+ld]},
  "history":[{"created":"2024-01-01T00:00:00Z","created_by":"mkimg.py"}]}).encode(); cd=sha(cfg)
man=json.dumps({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
  "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:"+cd,"size":len(cfg)},
  "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:"+ld,"size":len(layer)}]}).encode(); md=sha(man)
idx=json.dumps({"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:"+md,"size":len(man),
  "annotations":{"io.containerd.image.name":name,"org.opencontainers.image.ref.name":name.rsplit(':',1)[1]},
  "platform":{"architecture":"amd64","os":"linux"}}]}).encode()
dm=json.dumps([{"Config":"blobs/sha256/"+cd,"RepoTags":[name],"Layers":["blobs/sha256/"+ld]}]).encode()
with tarfile.open(out,'w') as t:
    def put(n,d):
        ti=tarfile.TarInfo(n); ti.size=len(d); ti.mode=0o644; t.addfile(ti,io.BytesIO(d))
    put('oci-layout',b'{"imageLayoutVersion":"1.0.0"}'); put('index.json',idx); put('manifest.json',dm)
    for h,d in ((ld,layer),(cd,cfg),(md,man)): put('blobs/sha256/'+h,d)
print(name,'manifest sha256:'+md,'config(image id) sha256:'+cd)
