#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pod.py SOCKET NAME [--hostnet] [--priv] [--runtime HANDLER]: a kubelet-like sandbox + container"""
import os,sys,json,uuid,time; from cri import CRI,grpc
sock,name=sys.argv[1:3]; hostnet='--hostnet' in sys.argv; priv='--priv' in sys.argv
rt=sys.argv[sys.argv.index('--runtime')+1] if '--runtime' in sys.argv else ''
c=CRI(sock); uid=str(uuid.uuid4())
lab={'io.kubernetes.pod.name':name,'io.kubernetes.pod.namespace':'prod','io.kubernetes.pod.uid':uid,'app':'web'}
ns={'network':'NODE' if hostnet else 'POD','pid':'CONTAINER','ipc':'POD'}
pod={'metadata':{'name':name,'uid':uid,'namespace':'prod','attempt':0},**({} if hostnet else {'hostname':name}),'log_directory':os.environ.get('RUNTIMES_RUN','/tmp/saker-runtimes')+'/logs/'+uid,'labels':lab,
 'annotations':{'kubernetes.io/config.source':'api'},
 'linux':{'cgroup_parent':'/kubepods/besteffort/pod'+uid,'security_context':{'namespace_options':ns,'privileged':priv}}}
t=time.time(); sid=c.call('RunPodSandbox',{'config':pod,'runtime_handler':rt})['pod_sandbox_id']; print('sandbox',sid,'%.2fs'%(time.time()-t))
ctr={'metadata':{'name':'app','attempt':0},'image':{'image':'docker.io/library/busybox:test'},'command':['sleep'],'args':['100000'],'log_path':'app.log',
 'labels':{**{k:v for k,v in lab.items() if k.startswith('io.')},'io.kubernetes.container.name':'app'},
 'annotations':{'io.kubernetes.container.restartCount':'0'},'envs':[{'key':'FOO','value':'bar'}],
 'mounts':[{'host_path':'/etc/hostname','container_path':'/etc/hn','readonly':True}],
 'linux':{'resources':{'cpu_shares':2,'memory_limit_in_bytes':64<<20},'security_context':{'namespace_options':ns,'privileged':priv}}}
cid=c.call('CreateContainer',{'pod_sandbox_id':sid,'config':ctr,'sandbox_config':pod})['container_id']
c.call('StartContainer',{'container_id':cid}); print('container',cid,'%.2fs'%(time.time()-t))
st=c.call('ContainerStatus',{'container_id':cid,'verbose':True}); info=json.loads(st['info']['info']); print(json.dumps(st['status'])); print('info keys',list(info)); pid=info['pid']; print('pid',pid)
ss=c.call('PodSandboxStatus',{'pod_sandbox_id':sid,'verbose':True}); print(json.dumps(ss['status'])); si=json.loads(ss['info']['info']); print('sandbox info keys',list(si),'pid',si.get('pid'))
print(open('/proc/%d/cgroup'%pid).read()); print(open('/proc/%d/mountinfo'%pid).readline()); si.get('pid') and print('pause', open('/proc/%d/cgroup'%si['pid']).read())
print(c.call('ExecSync',{'container_id':cid,'cmd':['id'],'timeout':5}))
