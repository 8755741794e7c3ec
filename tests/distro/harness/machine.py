# SPDX-License-Identifier: GPL-2.0-only
"""
A guest with a whole Debian, as a story sees it: power, sleep, what is typed, and what
the host shows. Each start is another QEMU process on the same disk.
"""

import dataclasses
import hashlib
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import hostlog
import klog
import qemu
import uefi
from agent import Agent
from display import SCENE, Display
from qmp import Qmp
from rfb import Rfb
from verdict import Failure
from virt_pm import Account

REPO = Path(__file__).resolve().parents[3]
VIRT_PM = '/sys/kernel/debug/dri/0/virt_pm'
BOOTED = 'booted'           # the snapshot's name
# OVMF looks for a TPM, and for expansion ROMs of devices that have none.
PROBED = re.compile(r"Invalid (read|write) at addr 0x[0-9A-F]+, size \d, region '\(null\)'")
TROUBLE = re.compile(r'^.*(Kernel panic|Oops: |kernel BUG at ).*$', re.M)


@dataclasses.dataclass(frozen=True)
class Setup:
    """The machine of a story"""

    package: bool = True        # installed, or Debian as it is
    machine: str = 'q35'
    device: str = 'virtio-gpu-pci'
    outputs: tuple = ((1280, 800),)
    memory: int = 1024
    cpus: int = 2
    uefi: bool = False          # OVMF in place of SeaBIOS
    libvirt: bool = False       # started by libvirt: see virsh.py
    more_options: tuple = ()
    expected_log: tuple = ()    # (regular expression, why) of lines klog would refuse


class Machine(Display):
    gpu = 'gpu0'

    def __init__(self, setup, disk, directory, timeout=900):
        self.setup, self.directory, self.timeout = setup, directory, timeout
        self.disk = directory / 'disk.qcow2'
        self.base = disk
        self.console = directory / 'console.log'
        self.starts = 0
        self.ours = setup.package   # whose driver is in use at the end
        self.package = None         # path of the package
        self.process = self.qmp = self.agent = self.sockets = None
        self._host_logs = []
        self._log_begin = 0         # from where the console's log is judged
        self._log_start = 0         # where the story begins in it
        self._boot = None
        self._must_not_fail = None  # the number of a command in the guest
        self._expected = None       # what the host has to show

    # Power

    def _command(self, loaded):
        setup = self.setup
        first = setup.outputs[0]
        sleeps = ('ICH9-LPC',) if setup.machine == 'q35' else ('PIIX4_PM',)
        return [
            qemu.binary(), '-accel', 'tcg,thread=multi', '-machine', setup.machine,
            '-cpu', 'max,la57=off,svm=off', '-m', str(setup.memory), '-smp', str(setup.cpus),
            '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-S', '-rtc', 'base=utc',
            *(word for name in sleeps for state in ('s3', 's4')
              for word in ('-global', f'{name}.disable_{state}=0')),
            '-qmp', f'unix:{self.sockets}/qmp,server=on,wait=off',
            '-chardev', f'file,id=console,path={qemu._escape(self.console)},append=on',
            '-serial', 'chardev:console',
            '-drive', f'if=none,id=disk,format=qcow2,cache=unsafe,file={qemu._escape(self.disk)}',
            '-device', 'virtio-blk-pci,drive=disk,bootindex=1',      # /dev/vda
            '-device', f'{setup.device},id=gpu0' +
            (f',max_outputs={len(setup.outputs)},xres={first[0]},yres={first[1]}'
             if setup.device.startswith('virtio') else ''),
            '-chardev', f'socket,id=agent,path={self.sockets}/agent,server=on,wait=off',
            '-device', 'virtio-serial-pci',
            '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0',
            '-d', 'guest_errors', '-D', str(self._host_logs[-1]),
            *(word for head in range(len(setup.outputs)) for word in (
                '-vnc', f'unix:{self.sockets}/vnc{head},display=gpu0,head={head}')),
            *(uefi.options(self.directory) if setup.uefi else ()),
            *setup.more_options, *(('-loadvm', BOOTED) if loaded else ())]

    def _start(self, loaded=False, monitors=None):
        self.starts += 1
        self._make_sockets()
        self._host_logs.append(self.directory / f'host-{self.starts}.log')
        said = self.directory / f'qemu-{self.starts}.log'
        with open(said, 'wb') as messages:
            self.process = subprocess.Popen(
                self._command(loaded), stdin=subprocess.DEVNULL, stdout=messages, stderr=messages,
                start_new_session=True)
        with qemu._lock:
            qemu._running.add(self.process)
        self._wait(lambda: self.process.poll() is not None or
                   all((self.sockets / n).exists() for n in ('qmp', 'agent')),
                   60, 'QEMU does not open its sockets')
        if self.process.poll() is not None:
            raise Failure(f'QEMU did not start: {said.read_text().strip()[-300:]}')
        self._connect(Agent(str(self.sockets / 'agent'), self.timeout))
        for head, (width, height) in enumerate(self.setup.outputs[:monitors]):
            if head:
                self.plug_in(head, width, height)
        self.qmp.execute('cont')

    def _make_sockets(self):
        self.sockets = Path(tempfile.mkdtemp(prefix='distro-'))

    def _connect(self, agent):
        self.agent = agent
        self.qmp = Qmp(str(self.sockets / 'qmp'), self.timeout)

    def plug_in(self, head, width, height):
        with Rfb(str(self.sockets / f'vnc{head}'), self.timeout) as rfb:
            rfb.plug_in_monitor(width, height)

    def _wait(self, condition, timeout, otherwise, every=0.3):
        deadline = time.monotonic() + timeout
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                raise Failure(otherwise)
            time.sleep(every)

    def power_on(self):
        """A guest that has booted."""
        self._power_on()
        self._log_start = self.console.stat().st_size

    def _power_on(self):
        """The first one of a kind boots; it is kept as it is then, and others go on
        from there."""
        # its variables are in another file; libvirt loads no snapshot as it starts
        if self.setup.uefi or self.setup.libvirt:
            self._make_disk()
            self.boot()
            return
        kept = self._kept()
        if kept.with_suffix('.log').exists():
            shutil.copy(kept, self.disk)
            shutil.copy(kept.with_suffix('.log'), self.console)
            self._start(loaded=True)
            self._wait_for_agent('the guest does not go on')
            self._after_boot()
            self.run(f'date -s @{time.time():.0f}')
            return
        self._make_disk()
        self.boot()
        self.run('sync')
        said = self.qmp.execute('human-monitor-command',
                                **{'command-line': f'savevm {BOOTED}'})
        self.expect(not said, f'savevm: {said}')
        self.qmp.execute('stop')
        shutil.copy(self.disk, kept)
        shutil.copy(self.console, kept.with_suffix('.log'))
        self.qmp.execute('cont')

    def _make_disk(self):
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b',
                        self.base, self.disk], check=True)

    def _kept(self):
        """The disk of a guest of this kind that has booted"""
        self._host_logs.append(self.directory / 'host-0.log')
        command = ' '.join(self._command(loaded=True))
        self._host_logs.pop()
        for varies in (self.directory, self.sockets):
            command = command.replace(str(varies), '')
        digest = hashlib.sha256(f'{self.base.name} {command}'.encode()).hexdigest()[:12]
        return self.base.parent / f'booted-{self.base.stem}-{digest}.qcow2'

    def boot(self):
        self._start()
        self._wait_for_agent('the guest does not boot')
        self._after_boot()
        self._wait(lambda: self.run('systemctl is-system-running', check=False).strip() in
                   ('running', 'degraded'), self.timeout, 'the guest does not come to rest')
        # on a busy machine systemd gives up waiting for the disk
        self.run('swapon -a')

    def _after_boot(self):
        self._boot = self.boot_id()

    def _wait_for_agent(self, otherwise):
        def there():
            if self.process.poll() is not None:
                raise Failure(f'{otherwise}: QEMU ended')
            self._expect_no_oops(otherwise)
            return self.agent.is_there(2)
        self._wait(there, self.timeout, otherwise)

    def _expect_no_oops(self, otherwise):
        """No use to wait for a kernel that is in trouble"""
        with open(self.console, 'rb') as console:
            console.seek(self._log_start)
            found = TROUBLE.search(console.read().decode(errors='replace'))
        self.expect(not found, f'{otherwise}: {found and found[0].strip()}')

    def boot_id(self):
        return self.run('cat /proc/sys/kernel/random/boot_id').strip()

    def end(self):
        """Pulls the plug."""
        process = self.process
        if self._disconnect():
            with qemu._lock:
                qemu._running.discard(process)
            shutil.rmtree(self.sockets, ignore_errors=True)

    def _disconnect(self):
        """Whether there was something to end"""
        if not self.process:
            return False
        for part in (self.agent, self.qmp):
            if part:
                part.close()
        self.process.kill()
        self.process.wait()
        self.process = self.agent = self.qmp = None
        return True

    def close(self):
        self.end()

    def destroy(self):
        """As virsh does: QEMU ends and writes what it knows of the disk."""
        self.qmp.execute('quit')
        self.process.wait(self.timeout)
        self.end()

    def power_off(self):
        """By the guest, as its user does"""
        self._must_not_fail = None
        self.agent.start('systemctl poweroff')
        self._wait_until_off('power off')

    def reboot(self):
        ours = self.driver_is_ours()
        self.power_off()
        # the stock driver warns when it is shut down with something on the console
        if not ours:
            self._log_begin = self._log_start = self.console.stat().st_size
        self.boot()

    def _wait_until_off(self, what):
        """Unless the command that is to bring it about fails"""
        def off():
            if self.process.poll() is not None:
                return True
            self._expect_no_oops(f'the guest does not {what}')
            failed = self._failed()
            if failed:
                raise Failure(f'the guest does not {what}: {failed}')
            return False
        try:
            self._wait(off, self.timeout, f'the guest does not {what}', every=1)
        except Failure:
            if self.process.poll() is None:
                self.save('hangs')
            raise
        reason = self.qmp.shutdown_reason()
        self.end()
        if reason != 'guest-shutdown':
            raise Failure(f'the guest ended by {reason}')

    # Commands in the guest

    def run(self, command, check=True, timeout=None):
        """What a shell command says; it has to succeed."""
        status, out, err = self.agent.result(self.agent.start(command),
                                             timeout or self.timeout)
        if check and status:
            raise Failure(f'{command}: exit {status}: {(err or out).strip()[-300:]}')
        return out

    def put_package(self):
        """Where it is in the guest"""
        name = f'/root/{self.package.name}'
        self.put(name, self.package.read_bytes())
        return name

    def put(self, name, data):
        self.agent.write_file(name, data)

    def start_desktop(self, name):
        """weston, sway or xorg, and a terminal in it"""
        self.run(f'systemctl start {name}')
        try:
            self._wait(lambda: not SCENE - self.screen().colour_set(), 300,
                       f'{name} shows nothing', every=2)
        except Failure:
            self.save('no-desktop')
            (self.directory / 'journal.log').write_text(
                self.run('journalctl -b --no-pager | tail -n 300'))
            raise

    def driver_is_ours(self):
        return self.run(f'test -r {VIRT_PM} && echo yes', check=False).strip() == 'yes'

    # Sleep

    def hibernate(self, command='systemctl hibernate'):
        """Until the guest has powered off"""
        self._must_not_fail = self.agent.start(command)
        self._wait_until_off('hibernate')

    def power_on_again(self, monitors=None, splash=False):
        """Another QEMU: the guest goes on where it was, it does not boot. The boot
        kernel may have to show its splash before."""
        self._start(monitors=monitors)
        if splash:
            self.wait_for_splash()
        self._wait_for_agent('the guest does not resume')
        self.expect(self.boot_id() == self._boot, 'the guest has booted, not resumed')

    def wait_until_hibernated(self):
        self._wait_until_off('hibernate')

    def hibernates_when_woken(self):
        """After a sleep that is to become a hibernation: False if it ended awake"""
        def awake():
            try:
                return self.agent.is_there(0.5) and self.run(
                    'systemctl is-active systemd-suspend-then-hibernate.service',
                    check=False, timeout=5).strip() in ('inactive', 'failed')
            except Failure:
                return False            # it sleeps, or is off by now

        def over():
            return self.process.poll() is not None or awake()
        self._wait(over, self.timeout, 'the guest neither hibernates nor wakes', every=1)
        if self.process.poll() is None:
            return False
        self.wait_until_hibernated()
        return True

    def hibernate_and_power_on_again(self):
        self.hibernate()
        self.power_on_again()

    def _failed(self):
        """What the command said that was to put the guest to sleep, if it failed"""
        if self._must_not_fail is None:
            return None
        try:
            if not self.agent.is_there(0.5):
                return None
            status, out, err = self.agent.result(self._must_not_fail, 0)
        except Failure:
            return None             # it goes on, or the guest sleeps or is off by now
        self._must_not_fail = None
        return (err or out or f'exit {status}').strip() if status else None

    def sleep(self, command='systemctl suspend'):
        """Until the machine sleeps, with its memory kept"""
        self._must_not_fail = self.agent.start(command)

        def sleeps():
            self._expect_no_oops('the guest does not sleep')
            failed = self._failed()
            self.expect(not failed, f'the guest does not sleep: {failed}')
            return self.qmp.execute('query-status')['status'] == 'suspended'
        self._wait(sleeps, self.timeout, 'the guest does not sleep', every=1)

    def wake(self):
        self.qmp.execute('system_wakeup')
        self._wait_until_awake()

    def _wait_until_awake(self):
        self._wait_for_agent('the guest does not wake')
        self.expect(self.boot_id() == self._boot, 'the guest has booted, not woken')

    def suspend_to_idle(self):
        """systemctl suspend, until a key has woken the guest"""
        # no real-time clock of QEMU's wakes from there: it has no event for the ACPI
        self.run('echo enabled >/sys/devices/platform/i8042/serio0/power/wakeup; '
                 'mkdir -p /etc/systemd/sleep.conf.d; printf "[Sleep]\\nSuspendState=freeze\\n" '
                 '>/etc/systemd/sleep.conf.d/idle.conf')
        epoch = self.account().epoch
        self._must_not_fail = self.agent.start('systemctl suspend')
        self._wait(lambda: not self.agent.is_there(5), self.timeout, 'the guest does not sleep')
        self.qmp.execute('send-key', keys=[{'type': 'qcode', 'data': 'shift'}])
        self._wait_until_awake()
        self.expect(self.account().epoch > epoch, 'the GPU was not suspended')

    # What must hold

    def expect(self, holds, otherwise):
        if not holds:
            raise Failure(otherwise)

    def account(self):
        text = self.run(f'cat {VIRT_PM}')
        (self.directory / 'virt_pm.txt').write_text(text)
        return Account.parse(text)

    def final_check(self):
        """Of each story: nothing was lost, and no log has a complaint."""
        if self.process:
            (self.directory / 'dmesg.log').write_text(self.run('dmesg'))
            if self.ours:
                problems = self.account().problems()
                self.expect(not problems, f'virt_pm: {", ".join(problems)}')
        found = self.log_problems()
        self.expect(not found, found[0] if found else '')

    def log_problems(self):
        """Before the story, of the boot, only what is about graphics"""
        expected = [pattern for pattern, _ in self.setup.expected_log]
        text = self.console.read_bytes() if self.console.exists() else b''
        boot, story = (part.decode(errors='replace') for part in
                       (text[self._log_begin:self._log_start],
                        text[self._log_start:]))
        found = [f'{self.console.name}: {line}' for line in
                 [line for line in klog.problems(boot, expected)
                  if 'drm' in line or 'virtio' in line] + klog.problems(story, expected)]
        for log in self._host_logs:
            if log.exists():
                found += [f'{log.name}: {line}' for line in
                          hostlog.HostLog(log.read_text(errors='replace')).errors
                          if not (self.setup.uefi and PROBED.match(line))]
        return found
