# SPDX-License-Identifier: GPL-2.0-only
"""The package's drm-virt-pm-check on trial, on guests that are only files; its version."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / 'scripts'))
import deb                      # noqa: E402

PROGRAM = REPO / 'packaging/drm-virt-pm-check'
RELEASE = '6.12.118+deb13-amd64'
DKMS = f'/lib/modules/{RELEASE}/updates/dkms'
SOURCES = '/usr/src/drm-virt-pm-2.0/6.12'
IMAGE = f'/boot/initrd.img-{RELEASE}'
ACCOUNT = '/sys/kernel/debug/dri/0/virt_pm'
PCI = '/sys/bus/pci/devices/0000:00:02.0'
MMIO = '/sys/devices/platform/a.virtio_mmio'
POSSIBLE = ('state: running\nepoch: 1\nrefusal: none\nsuspend: possible\n'
            'hibernate: possible\ntransition: none\n')
# what the program calls: the machine's own, or told here. What is not here is not installed.
COMMANDS = ('awk', 'basename', 'cat', 'expr', 'grep', 'head', 'id', 'ls', 'od', 'readlink',
            'sed', 'sort', 'tail')
TOOLS = {
    'lsinitramfs': 'cat "$1"',
    'update-initramfs': 'exit 1',
    'systemd-analyze': 'root=${1#--root=}\nsed "s|^# /|# $root/|" "$root/sleep.conf"',
    # a file has its type of file system and its device as content
    'stat': 'for file; do :; done\nread -r type device <"$file" || exit 1\n'
            'case $1 in -f) echo "$type" ;; *) echo "$device" ;; esac',
}
SWAPS = 'Filename Type Size Used Priority\n'
SLEEP = '/sleep.conf'           # what our systemd-analyze says
SLEEP_CONF = '# /etc/systemd/sleep.conf\n[Sleep]\n#AllowHibernation=no\n\n'
KERNEL_OWN = f'usr/lib/modules/{RELEASE}/kernel/drivers/gpu/drm/virtio/virtio-gpu.ko.xz\n'
PACKAGES_OWN = (f'usr/lib/modules/{RELEASE}/updates/dkms/virtio-gpu.ko.xz\n'
                f'usr/lib/modules/{RELEASE}/updates/dkms/drm_virt_pm.ko.xz\n')

# A guest with nothing wrong: file or link (->) and content
GOOD = {
    '/proc/sys/kernel/osrelease': RELEASE,
    '/proc/sys/kernel/arch': 'x86_64',
    '/proc/cmdline': f'BOOT_IMAGE=/vmlinuz-{RELEASE} root=/dev/vda1 ro quiet',
    '/proc/swaps': f'{SWAPS}/dev/vda2 partition 1000000 0 -2\n',
    '/proc/meminfo': 'MemTotal: 1000000 kB\nMemFree: 1 kB\nMemAvailable: 700000 kB\n',
    '/proc/812/comm': 'keeper',
    '/proc/812/fd/3': '-> /dev/null',
    '/sys/power/state': 'freeze mem disk',
    '/sys/power/resume': '254:2',
    '/sys/power/resume_offset': '0',
    '/sys/power/image_size': '400000000',
    '/sys/class/block/vda2/dev': '254:2',
    '/sys/class/dmi/id/product_name': 'Standard PC (i440FX + PIIX, 1996)',
    '/sys/kernel/security/lockdown': '[none] integrity confidentiality',
    '/sys/class/drm/card0/device/virtio1/driver': '-> ../../bus/virtio/drivers/virtio_gpu',
    '/sys/class/drm/card0/device/driver': '-> ../../bus/pci/drivers/virtio-pci',
    '/sys/class/drm/card0-Virtual-1/status': 'connected',
    f'{PCI}/vendor': '0x1af4',
    f'{PCI}/device': '0x1050',
    f'{PCI}/drm/card0/dev': '226:0',
    '/sys/bus/virtio/devices/virtio1': '-> ../../../bus/pci/devices/0000:00:02.0/virtio1',
    f'{PCI}/virtio1/device': '0x0010',
    '/sys/module/drm_virt_pm/holders/virtio_gpu': '',
    ACCOUNT: POSSIBLE,
    f'{DKMS}/virtio-gpu.ko.xz': '',
    f'{DKMS}/drm_virt_pm.ko.xz': '',
    f'{SOURCES}/Kbuild': '',
    f'/boot/vmlinuz-{RELEASE}': '',
    '/boot/vmlinuz-6.12.9+deb13-amd64': '',
    '/etc/initramfs-tools/initramfs.conf': 'MODULES=most\n# RESUME=none\n',
    '/etc/initramfs-tools/conf.d/resume': 'RESUME=UUID=0a4f\n',
    SLEEP: '# Main configuration file systemd/sleep.conf not found\n',
    IMAGE: PACKAGES_OWN,        # what our lsinitramfs says is in it
}
FILE = f'{SWAPS}/swapfile file 1000000 0 -2\n'
ON_FILE = {'/proc/swaps': FILE, '/sys/power/resume_offset': '34816'}
CONF = '/etc/initramfs-tools/conf.d/resume'
RESUME = {'/proc/cmdline': 'root=/dev/vda1 resume=/dev/vda1 resume_offset=34816 quiet'}
AUTO = f'{PACKAGES_OWN}conf/conf.d/zz-resume-auto\n'
STOCK = {'/sys/module/drm_virt_pm/holders/virtio_gpu': None, ACCOUNT: None}
NOT_BUILT = {f'{DKMS}/virtio-gpu.ko.xz': None, f'{DKMS}/drm_virt_pm.ko.xz': None,
             IMAGE: KERNEL_OWN}
LOCKED = {'/sys/power/state': 'freeze mem',
          '/sys/kernel/security/lockdown': 'none [integrity] confidentiality'}
AMDGPU = {'/sys/class/drm/card1/device/driver': '-> ../drivers/amdgpu',
          '/usr/src/drm-virt-pm-amdgpu-2.0/prepare': ''}
Q35 = {'/sys/class/dmi/id/product_name': 'Standard PC (Q35 + ICH9, 2009)'}
LPC = '/sys/bus/pci/devices/0000:00:1f.0/config'

RANDOM = {'/etc/crypttab': 'swap0 /dev/vda3 /dev/urandom cipher=x,swap\n',
          '/dev/mapper/swap0': '-> ../dm-0', '/sys/class/block/dm-0/dev': '253:0',
          '/proc/swaps': f'{SWAPS}/dev/dm-0 partition 1000000 0 -2\n'
                         '/dev/vda2 partition 1000000 0 -3\n'}
UNPLUGGED = {**STOCK, f'{PCI}/drm/card0/dev': None,
             '/sys/class/drm/card0/device/virtio1/driver': None,
             '/sys/class/drm/card0/device/driver': None,
             '/sys/class/drm/card0-Virtual-1/status': None}
# what is changed (None: it is not there), what a line of the answer has to say
BAD = {
    'lockdown': (LOCKED, 'the kernel is locked down'),
    'nohibernate': ({'/sys/power/state': 'freeze mem', '/proc/cmdline': 'quiet nohibernate'},
                    'nohibernate'),
    'hibernate=no': ({'/sys/power/state': 'freeze mem', '/proc/cmdline': 'hibernate=no quiet'},
                     'hibernate=no is'),
    'secret memory': ({'/sys/power/state': 'freeze mem',
                       '/proc/812/fd/4': '-> /secretmem (deleted)'}, 'end keeper[812]'),
    'no support': ({'/sys/power/state': 'freeze mem'}, 'built without'),
    'newer kernel': ({'/boot/vmlinuz-6.12.120+deb13-arm64': '',
                      '/proc/sys/kernel/arch': 'aarch64'},
                     'the next boot is that of 6.12.120'),
    'systemd': ({SLEEP: f'{SLEEP_CONF}# /etc/systemd/sleep.conf.d/x.conf\n'
                        '[Sleep]\n  AllowHibernation = No\n'},
                'take AllowHibernation=no out of /etc/systemd/sleep.conf.d/x.conf'),
    'systemd, last': ({SLEEP: f'{SLEEP_CONF}# /run/systemd/sleep.conf.d/a.conf\n[Sleep]\n'
                              'AllowHibernation=yes\n# /usr/lib/systemd/sleep.conf.d/b.conf\n'
                              'AllowHibernation=0\n\n# /etc/systemd/sleep.conf.d/c.conf\n'},
                      'out of /usr/lib/systemd/sleep.conf.d/b.conf'),
    'masked': ({'/etc/systemd/system/hibernate.target': '-> /dev/null'},
               'systemctl unmask hibernate.target'),
    'masked, all': ({'/etc/systemd/system/sleep.target': '-> /dev/null'},
                    'systemctl unmask sleep.target'),
    'masked until a restart': ({'/run/systemd/system/hibernate.target': '-> /dev/null'},
                               'systemctl unmask hibernate.target'),
    'stock, not built': ({**STOCK, **NOT_BUILT}, f'install linux-headers-{RELEASE}, dkms'),
    'stock, headers are gone': ({**STOCK, **NOT_BUILT},
                                'install linux-image-amd64 linux-headers-amd64, restart'),
    'stock, built for the next boot': (
        {**STOCK, **NOT_BUILT, '/boot/vmlinuz-6.12.120+deb13-amd64': '',
         '/lib/modules/6.12.120+deb13-amd64/updates/dkms/drm_virt_pm.ko.xz': ''},
        'are built for 6.12.120+deb13-amd64: restart'),
    'stock, locked down': ({**STOCK, **NOT_BUILT, **LOCKED}, 'for a kernel that is locked'),
    'stock, built, locked down': ({**STOCK, **LOCKED}, 'after it was loaded: restart'),
    'stock, not for it': ({**STOCK, **NOT_BUILT, f'{SOURCES}/Kbuild': None,
                           '/usr/src/drm-virt-pm-2.0/7.2/Kbuild': ''},
                          'the package is not made for Linux 6.12'),
    'stock, initramfs': ({**STOCK, IMAGE: KERNEL_OWN}, 'the initramfs has it, see below'),
    'stock, not restarted': (STOCK, 'restart'),
    'stock qxl': ({**STOCK, '/sys/class/drm/card0/device/virtio1/driver': None,
                   '/sys/class/drm/card0/device/driver': '-> ../drivers/qxl'},
                  'card0 (qxl): the kernel\'s own'),
    'stale initramfs': ({IMAGE: KERNEL_OWN}, f'update-initramfs -u -k {RELEASE}'),
    'refused': ({ACCOUNT: POSSIBLE.replace('hibernate: possible', 'hibernate: refused: '
                                           'shell[8]: 1 context with 3D work')},
                'refused: shell[8]: 1 context with 3D work'),
    'lost': ({ACCOUNT: POSSIBLE.replace('running', 'lost (resume failed (-110))')},
             'the device is lost (resume failed (-110))'),
    'given up': ({**UNPLUGGED,
                  f'{PCI}/virtio1/driver': '-> ../../../bus/virtio/drivers/virtio_gpu',
                  f'{PCI}/driver': '-> ../../../bus/pci/drivers/virtio-pci'},
                 "0000:00:02.0 was given up, see journalctl -k -g 'device is lost': save"),
    'qxl, given up': ({'/sys/bus/pci/devices/0000:00:03.0/vendor': '0x1b36',
                       '/sys/bus/pci/devices/0000:00:03.0/device': '0x0100',
                       '/sys/bus/pci/devices/0000:00:03.0/driver': '-> ../drivers/qxl'},
                      '0000:00:03.0 was given up'),
    'amdgpu, given up': ({'/sys/bus/pci/devices/0000:00:03.0/vendor': '0x1002',
                          '/sys/bus/pci/devices/0000:00:03.0/device': '0x74a1',
                          '/sys/bus/pci/devices/0000:00:03.0/driver': '-> ../drivers/amdgpu'},
                         '0000:00:03.0 was given up'),
    'MMIO, given up': ({'/sys/bus/virtio/devices/virtio9':
                        '-> ../../../devices/platform/a.virtio_mmio/virtio9',
                        f'{MMIO}/virtio9/device': '0x0010',
                        f'{MMIO}/virtio9/driver': '-> ../../../bus/virtio/drivers/virtio_gpu'},
                       'virtio9 was given up'),
    'amdgpu, no source': (AMDGPU, f'install linux-headers-{RELEASE}, linux-source-6.12 of the'),
    'amdgpu, its status': (AMDGPU, 'see dkms status drm-virt-pm-amdgpu'),
    'amdgpu, not restarted': ({**AMDGPU, f'{DKMS}/amdgpu.ko.xz': ''},
                              'card1 (amdgpu): the kernel\'s own driver, not that of the '
                              'package; the package was installed'),
    'no driver': ({f'{PCI}/drm/card0/dev': None}, 'the GPU 0000:00:02.0 has no driver'),
    'no driver of qxl': ({'/sys/bus/pci/devices/0000:00:03.0/vendor': '0x1b36',
                          '/sys/bus/pci/devices/0000:00:03.0/device': '0x0100'},
                         'the GPU 0000:00:03.0 has no driver'),
    'no driver, MMIO': ({'/sys/bus/virtio/devices/virtio9':
                         '-> ../../../devices/platform/a.virtio_mmio/virtio9',
                         f'{MMIO}/virtio9/device': '0x0010'},
                        'the GPU virtio9 has no driver'),
    'second card': ({'/sys/class/drm/card1/device/driver': '-> ../drivers/qxl'},
                    'card1 (qxl)'),
    'no swap': ({'/proc/swaps': SWAPS}, 'there is no swap'),
    'only zram': ({'/proc/swaps': f'{SWAPS}/dev/zram0 partition 1000000 0 100\n'}, 'zram'),
    'swap too small': ({'/proc/swaps': f'{SWAPS}/dev/vda2 partition 200000 0 -2\n'},
                       '195 MiB of /dev/vda2 are free, 292 MiB'),
    'swap full': ({'/proc/swaps': f'{SWAPS}/dev/vda2 partition 1000000 900000 -2\n'},
                  '97 MiB of /dev/vda2 are free'),
    'room elsewhere': ({'/proc/swaps': f'{SWAPS}/dev/vdb partition 1000000 0 -2\n'
                                       '/dev/vda2 partition 200000 0 -3\n'},
                       '195 MiB of /dev/vda2 are free'),
    'no resume': ({'/sys/power/resume': '0:0'}, 'RESUME=/dev/vda2 in'),
    'no resume, a file': ({'/proc/swaps': FILE, '/sys/power/resume': '0:0'},
                          'resume_offset= from filefrag -v /swapfile'),
    'no resume, btrfs': ({'/proc/swaps': FILE, '/sys/power/resume': '0:0',
                          '/swapfile': 'btrfs 0:31\n'},
                         'resume_offset= from btrfs inspect-internal map-swapfile -r /swapfile'),
    'noresume': ({'/proc/cmdline': 'quiet noresume'}, 'noresume'),
    'noresume, not told': ({'/proc/cmdline': 'quiet noresume', '/sys/power/resume': '0:0'},
                           'take it off'),
    'hibernate=noresume': ({'/proc/cmdline': 'hibernate=noresume', '/sys/power/resume': '0:0'},
                           'take it off'),
    'other resume': ({'/sys/power/resume': '254:9'}, '254:9, which is no swap in use'),
    'other offset': ({'/sys/power/resume_offset': '34816'},
                     '254:2 at 34816, which is no swap in use'),
    'swap file without offset': ({'/proc/swaps': FILE},
                                 'not from the swap file /swapfile: on the kernel'),
    'swap file elsewhere': ({**ON_FILE, **RESUME, '/swapfile': 'ext2/ext3 254:1\n'},
                            'the swap file /swapfile is on 254:1'),
    # systemd told the kernel: initramfs-tools do not know
    'swap file, no resume_offset=': ({**ON_FILE, '/swapfile': 'ext2/ext3 254:2\n',
                                      CONF: 'RESUME=UUID=0a4f\n# resume_offset=8\n'},
                                     'does not resume from the swap file /swapfile: on the'),
    'swap file, no resume=': ({**ON_FILE, CONF: None, '/proc/cmdline': 'resume_offset=34816'},
                              'does not resume from the swap file /swapfile: on the'),
    'RESUME=none': ({CONF: 'RESUME="none" # yet\n'},
                    'the initramfs does not resume from /dev/vda2: RESUME=/dev/vda2 in'),
    'RESUME=none, all files': ({CONF: 'RESUME=none\n',
                                '/usr/share/initramfs-tools/conf.d/a': 'RESUME=UUID=0a4f\n'},
                               'the initramfs does not resume from /dev/vda2'),
    'RESUME= is not set': ({CONF: None}, 'the initramfs does not resume from /dev/vda2'),
    'RESUME=auto, found none': ({CONF: 'RESUME=auto\n'},
                                'the initramfs does not resume from /dev/vda2'),
    'blank in the name, elsewhere': ({'/proc/swaps': FILE.replace('/swapfile', r'/swap\040file'),
                                      '/sys/power/resume_offset': '34816',
                                      '/swap file': 'ext2/ext3 254:1\n'},
                                     r'the swap file /swap\040file is on 254:1'),
    'random key': ({**RANDOM, '/sys/power/resume': '253:0'}, 'swap swap0'),
    'random key, no resume': ({**RANDOM, '/sys/power/resume': '0:0'}, 'swap swap0'),
    'q35 after S3': ({**Q35, LPC: '\0' * 256}, 'lost its power management'),
}
# the same, and yet it would hibernate
STILL_GOOD = {
    'nothing changed': ({}, 'everything on it can be restored'),
    'swap file': ({**ON_FILE, **RESUME, CONF: None, '/swapfile': 'ext2/ext3 254:2\n'},
                  'resumes from the swap file'),
    'swap file, RESUME=': ({**ON_FILE, CONF: 'RESUME=UUID=0a4f resume_offset=34816\n'},
                           'resumes from the swap file'),
    'swap file on btrfs': ({**ON_FILE, **RESUME, '/swapfile': 'btrfs 0:31\n'},
                           'resumes from the swap file'),
    'RESUME=none, but resume=': ({CONF: 'RESUME=none\n', '/proc/cmdline': 'resume=/dev/vda2'},
                                 'resumes from /dev/vda2'),
    'RESUME= is not set, found one': ({CONF: None, IMAGE: AUTO}, 'resumes from /dev/vda2'),
    'RESUME=auto, found one': ({CONF: 'RESUME=auto\n', IMAGE: AUTO}, 'resumes from /dev/vda2'),
    'deleted swap file': ({**ON_FILE, **RESUME,
                           '/proc/swaps': FILE.replace('/swapfile', r'/swapfile\040(deleted)')},
                          r'from the swap file /swapfile\040(deleted), if'),
    # initramfs-tools tell the kernel all the same
    'hibernate=noresume': ({'/proc/cmdline': 'hibernate=noresume'}, ''),
    'much is cached': ({'/proc/swaps': f'{SWAPS}/dev/vda2 partition 350000 0 -2\n'},
                       'up to 381 MiB'),
    'less is cached': ({'/proc/swaps': f'{SWAPS}/dev/vda2 partition 350000 0 -2\n',
                        '/sys/power/image_size': '900000000000',
                        '/proc/meminfo': 'MemTotal: 1000000 kB\nMemFree: 600000 kB\n'
                                         'MemAvailable: 700000 kB\n'}, 'up to 390 MiB'),
    'newer kernel': ({'/boot/vmlinuz-6.12.120+deb13-amd64': ''},
                     'the next boot is that of 6.12.120'),
    'systemd again': ({SLEEP: f'{SLEEP_CONF}# /usr/lib/systemd/sleep.conf.d/a.conf\n[Sleep]\n'
                              'AllowHibernation=no\n# /etc/systemd/sleep.conf.d/b.conf\n'
                              '[Sleep]\nAllowHibernation=yes\n'}, ''),
    'random key of another swap': (RANDOM, 'resumes from /dev/vda2'),
    'key in a file': ({'/etc/crypttab': '# x\nswap0 /dev/vda2 /etc/key swap\n'}, ''),
    'built in': ({'/sys/module/drm_virt_pm/holders/virtio_gpu': None}, 'can be restored'),
    'another driver': ({'/sys/class/drm/card1/device/driver': '-> ../drivers/bochs-drm'},
                       'card1 (bochs-drm)'),
    'amdgpu without the package': ({**AMDGPU, '/usr/src/drm-virt-pm-amdgpu-2.0/prepare': None},
                                   'the driver\'s own affair'),
    'amdgpu of the package': ({**AMDGPU, '/sys/kernel/debug/dri/1/virt_pm': POSSIBLE},
                              'card1 (amdgpu): the driver of the package'),
    'refused before': ({ACCOUNT: POSSIBLE.replace('refusal: none', 'refusal: hibernate: x')},
                       'the last refusal was: hibernate: x'),
    'MMIO': ({'/sys/bus/virtio/devices/virtio9':
              '-> ../../../devices/platform/a.virtio_mmio/virtio9',
              f'{MMIO}/virtio9/device': '0x0010', f'{MMIO}/drm/card1/dev': '226:1'}, ''),
    'not in the initramfs': ({IMAGE: 'usr/bin/sh\n'}, ''),
}


class PackageCheck(unittest.TestCase):
    def ask(self, changes, *options, tools=TOOLS):
        """(exit status, what it says) of the program about a guest"""
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory) / 'root'
            for name, content in {**GOOD, **changes}.items():
                if content is None:
                    continue
                path = root / name[1:]
                path.parent.mkdir(parents=True, exist_ok=True)
                if content.startswith('-> '):
                    path.symlink_to(content[3:])
                else:
                    path.write_bytes(content.encode('latin-1'))
            path = Path(directory) / 'tools'
            path.mkdir()
            for name in COMMANDS:
                (path / name).symlink_to(shutil.which(name))
            for name, script in tools.items():
                (path / name).write_text(f'#!/bin/sh\n{script}\n')
                (path / name).chmod(0o755)
            done = subprocess.run(
                ['/bin/sh', PROGRAM, *options, '-r', root], capture_output=True, text=True,
                env={'PATH': str(path), 'LC_ALL': 'C'}, check=False)
            self.assertEqual(done.stderr, '')
            return done.returncode, done.stdout

    def test_bad(self):
        for name, (changes, said) in BAD.items():
            with self.subTest(name=name):
                status, text = self.ask(changes)
                problems = [li for li in text.splitlines() if li.startswith('problem')]
                self.assertEqual(status, 1, text)
                self.assertTrue(any(said in line for line in problems), text)

    def test_good(self):
        for name, (changes, said) in STILL_GOOD.items():
            with self.subTest(name=name):
                status, text = self.ask(changes)
                self.assertEqual(status, 0, text)
                self.assertIn(said, text)
                self.assertIn('This guest would hibernate.', text)

    def test_dracut(self):
        tools = {**TOOLS, 'lsinitrd': TOOLS['lsinitramfs']}
        del tools['lsinitramfs'], tools['update-initramfs']
        long = '-rw-r--r-- 1 root root 9 Jan 1 00:00 '
        status, text = self.ask({**STOCK, IMAGE: long + KERNEL_OWN}, tools=tools)
        self.assertEqual(status, 1, text)
        self.assertIn('the initramfs has it, see below', text)
        self.assertIn(f': dracut --force /boot/initrd.img-{RELEASE} {RELEASE}, then', text)
        self.assertEqual(self.ask({IMAGE: long + PACKAGES_OWN}, tools=tools)[0], 0)
        _, text = self.ask({**STOCK, **NOT_BUILT}, tools=tools)
        self.assertIn(', dkms autoinstall, dracut --force /boot/', text)
        # its initramfs asks the firmware, as systemd does
        self.assertEqual(self.ask({**ON_FILE, CONF: None}, tools=tools)[0], 0)
        for resume, said in (('0:0', 'resume=/dev/vda2 on the kernel\'s command line, dracut '
                                     f'--force /boot/initrd.img-{RELEASE} {RELEASE}, then'),
                             ('254:9', 'correct resume= and resume_offset= on the kernel\'s')):
            status, text = self.ask({'/sys/power/resume': resume}, tools=tools)
            self.assertEqual(status, 1, text)
            self.assertIn(said, text)
            self.assertNotIn('initramfs-tools', text)

    def test_packages_of_other_flavours(self):
        for release, flavour in (('6.12.48+deb13-arm64-16k', 'arm64-16k'),
                                 ('6.12.48+deb13-rt-amd64', 'rt-amd64')):
            with self.subTest(release=release):
                _, text = self.ask({**STOCK, **NOT_BUILT,
                                    '/proc/sys/kernel/osrelease': release})
                self.assertIn(f'install linux-image-{flavour} linux-headers-{flavour}, ', text)

    def test_initramfs_not_looked_at(self):
        tools = {name: script for name, script in TOOLS.items() if name != 'lsinitramfs'}
        status, text = self.ask({IMAGE: KERNEL_OWN, CONF: None}, tools=tools)
        self.assertEqual(status, 0, text)
        self.assertIn(f'note     the initramfs of {RELEASE} was not looked at', text)

    def test_q35_before_a_suspend(self):
        status, text = self.ask({**Q35, LPC: '\0' * 68 + '\x80' + '\0' * 9})
        self.assertEqual(status, 0, text)
        self.assertIn('note     the machine is a q35', text)

    def test_nothing_to_note(self):
        _, text = self.ask({})
        self.assertNotIn('note ', text)

    def test_one_problem_a_gpu(self):
        _, text = self.ask({f'{PCI}/drm/card0/dev': None}, '-q')
        self.assertEqual(text.count('has no driver'), 1, text)

    def test_quiet(self):
        self.assertEqual(self.ask({}, '-q'), (0, ''))
        _, text = self.ask({'/sys/power/resume': '0:0'}, '-q')
        self.assertEqual(len(text.splitlines()), 1)

    def test_wrong_use(self):
        for options in (['-x'], ['more']):
            done = subprocess.run(['sh', PROGRAM, *options], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn('usage: ', done.stderr)


class PackageVersion(unittest.TestCase):
    """Of the commit to what the package is made from"""

    def version(self, script):
        """Of a directory that the script made"""
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(['sh', '-ec', script], cwd=directory, check=True, env={
                **os.environ, 'GIT_AUTHOR_NAME': 'x', 'GIT_AUTHOR_EMAIL': 'x', 'GIT_COMMITTER_NAME': 'x',
                'GIT_COMMITTER_EMAIL': 'x', 'GIT_AUTHOR_DATE': '1000000000 +0000',
                'GIT_COMMITTER_DATE': '1700000000 +0000'})
            with mock.patch.object(deb, 'REPO', Path(directory) / 'project'):
                return deb.version()

    CLONE = ('mkdir -p project/drivers; cd project; echo x >drivers/x; git init -q; git add .; '
             'git commit -q -m x;')

    def test_clone(self):
        found, date = self.version(self.CLONE)
        self.assertRegex(found, r'^2\.0\+git20231114\.221320\.[0-9a-f]+$')
        self.assertEqual(date, 1700000000)

    def test_archive(self):
        for script in ('mkdir -p project/drivers',
                       'git init -q; git commit -q --allow-empty -m x; mkdir -p project/drivers'):
            with self.subTest(script=script):
                self.assertEqual(self.version(script)[0], '2.0')

    @unittest.skipIf(os.geteuid(), 'only root can give a clone to another user')
    def test_clone_of_another_user(self):
        self.assertIn('+git', self.version(f'{self.CLONE} chown -R 65534 .')[0])
