# SPDX-License-Identifier: GPL-2.0-only
"""
A guest of libvirt's: a libvirtd of its own defines, starts, suspends and wakes it.

It has private mounts and processes, so it neither finds nor leaves anything on this
machine, and ends with all of its guests when it is killed.
"""

import json
import shutil
import subprocess
import time
from pathlib import Path

import machine
import qemu
from agent import Agent
from verdict import Failure, Skip

NAME = 'distro'
# libvirt wants this user even if its configuration names another.
DAEMON = '''
set -e
for name in passwd group; do
	cp /etc/$name "$1/$name"
	mount --bind "$1/$name" /etc/$name
done
echo libvirt-qemu:x:0:0::/:/bin/false >>/etc/passwd
echo libvirt-qemu:x:0: >>/etc/group
for directory in /run /var/lib /var/cache /var/log /etc/libvirt; do
	mount -t tmpfs tmpfs $directory
done
mkdir /run/lock
cp "$1/qemu.conf" /etc/libvirt/
exec libvirtd --config "$1/libvirtd.conf"
'''
CONFIGURATION = {
    'libvirtd.conf': 'unix_sock_dir = "{directory}"\nauth_unix_rw = "none"\n',
    'qemu.conf': 'user = "root"\ngroup = "root"\ndynamic_ownership = 0\n'
                 'remember_owner = 0\nsecurity_driver = "none"\nnamespaces = []\n'
                 'cgroup_controllers = []\nstdio_handler = "file"\n',
}
GUEST = '''<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>{cpus}</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
  <features><acpi/></features>
  <cpu mode='maximum'>
    <feature policy='disable' name='la57'/>
    <feature policy='disable' name='svm'/>
  </cpu>
  <on_reboot>destroy</on_reboot>
  <pm>
    <suspend-to-mem enabled='yes'/>
    <suspend-to-disk enabled='yes'/>
  </pm>
  <devices>
    <emulator>{binary}</emulator>
    <disk type='file'>
      <driver name='qemu' type='qcow2' cache='unsafe'/>
      <source file='{disk}'/>
      <target dev='vda' bus='virtio'/>
      <boot order='1'/>
    </disk>
    <serial type='file'><source path='{console}' append='on'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc' socket='{sockets}/vnc0'/>
    <video>
      <model type='virtio' heads='1'>
        <acceleration accel3d='no'/>
        <resolution x='{width}' y='{height}'/>
      </model>
    </video>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-qmp'/><qemu:arg value='unix:{sockets}/qmp,server=on,wait=off'/>
    <qemu:arg value='-d'/><qemu:arg value='guest_errors'/>
    <qemu:arg value='-D'/><qemu:arg value='{host_log}'/>
  </qemu:commandline>
</domain>
'''


class Daemon:
    def __init__(self, directory, log):
        for program in ('libvirtd', 'virsh'):
            if not shutil.which(program, path='/usr/bin:/usr/sbin'):
                raise Skip(f'{program} is not installed')
        for name, text in CONFIGURATION.items():
            (directory / name).write_text(text.format(directory=directory))
        self.uri = f'qemu+unix:///system?socket={directory}/libvirt-sock'
        with open(log, 'wb') as messages:
            self.process = subprocess.Popen(
                ['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child',
                 'sh', '-c', DAEMON, 'libvirtd', str(directory)],
                stdin=subprocess.DEVNULL, stdout=messages, stderr=messages,
                start_new_session=True)
        with qemu._lock:
            qemu._running.add(self.process)
        deadline = time.monotonic() + 60
        while self.virsh('uri', check=False) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f'libvirtd does not start: see {log}')
            time.sleep(0.5)

    def virsh(self, *words, check=True):
        """What it says; None if it fails and need not succeed"""
        r = subprocess.run(['virsh', '-q', '-c', self.uri, *map(str, words)],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if r.returncode and check:
            raise Failure(f'virsh {words[0]}: {r.stderr.strip()}')
        return None if r.returncode else r.stdout.strip()

    def end(self):
        self.process.kill()
        self.process.wait()
        with qemu._lock:
            qemu._running.discard(self.process)


class Domain:
    """In place of the process that QEMU is elsewhere"""

    def __init__(self, daemon):
        self.daemon = daemon

    def poll(self):
        return 0 if self.daemon.virsh('domstate', NAME) == 'shut off' else None

    def kill(self):
        self.daemon.virsh('destroy', NAME, check=False)

    def wait(self, timeout=None):
        deadline = time.monotonic() + (timeout or 60)
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise Failure('the guest of libvirt does not end')
            time.sleep(0.5)


class DomainAgent(Agent):
    """libvirt has the agent's channel and passes commands on."""

    def __init__(self, daemon, timeout):
        self.daemon, self.timeout = daemon, timeout

    def close(self):
        pass

    def ask(self, command, timeout=None, **arguments):
        said = self.daemon.virsh('qemu-agent-command', NAME, '--timeout',
                                 int(timeout or self.timeout),
                                 json.dumps({'execute': command, 'arguments': arguments}))
        return json.loads(said)['return']

    def is_there(self, timeout=1.0):
        return self.daemon.virsh('qemu-agent-command', NAME, '--timeout',
                                 max(1, int(timeout)), '{"execute": "guest-ping"}',
                                 check=False) is not None


class Machine(machine.Machine):
    gpu = 'video0'              # libvirt's name of it

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.daemon = None

    def _xml(self):
        setup = self.setup
        width, height = setup.outputs[0]
        return GUEST.format(
            name=NAME, memory=setup.memory, cpus=setup.cpus, machine=setup.machine,
            binary=qemu.binary(), disk=self.disk, console=self.console, width=width,
            height=height, sockets=self.sockets, host_log=self._host_logs[-1])

    def _start(self, loaded=False, monitors=None):
        first = self.daemon is None
        self.starts += 1
        if first:
            self._make_sockets()
            self._host_logs.append(self.directory / 'host.log')
            self.daemon = Daemon(Path(self.sockets), self.directory / 'libvirtd.log')
            xml = self.directory / 'guest.xml'
            xml.write_text(self._xml())
            self.daemon.virsh('define', xml)
        self.daemon.virsh('start', NAME)
        self.process = Domain(self.daemon)
        self._connect(DomainAgent(self.daemon, self.timeout))

    def end(self):
        """Pulls the plug. The daemon goes on."""
        self._disconnect()

    def close(self):
        self.end()
        if self.daemon:
            self.daemon.end()
            shutil.rmtree(self.sockets, ignore_errors=True)

    def pm_suspend(self, target):
        """virsh dompmsuspend, until the guest sleeps or is off"""
        self.daemon.virsh('dompmsuspend', NAME, '--target', target)
        if target == 'disk':
            self.wait_until_hibernated()
            return
        self._wait(lambda: self.daemon.virsh('domstate', NAME) == 'pmsuspended',
                   self.timeout, 'the guest does not sleep', every=1)

    def pm_wakeup(self):
        self.daemon.virsh('dompmwakeup', NAME)
        self._wait_until_awake()
