# SPDX-License-Identifier: GPL-2.0-only
"""
The disks that the guests start from: Debian 13 with its stock kernel, as it is, and with
the package installed as a user does it. Both are kept; a guest writes to an overlay.

The disk has a boot record with GRUB in the gap behind it, a root file system and swap.
"""

import hashlib
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPO / 'scripts'))
import rootfs                                       # noqa: E402
from common import BUILD, Failure, Step, need_space, sha256     # noqa: E402

HERE = Path(__file__).resolve().parents[1]
DISTRO = BUILD / 'distro'
PACKAGES = (
    # a system
    'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'udev', 'kmod', 'kbd',
    'procps', 'pciutils', 'zstd', 'apt', 'qemu-guest-agent', 'initramfs-tools',
    'linux-image-amd64', 'plymouth', 'plymouth-themes', 'cryptsetup-initramfs',
    # what its user has to have for the package
    'linux-headers-amd64', 'dkms', 'openssl',
    # desktops
    'fonts-dejavu-core', 'weston', 'foot', 'sway', 'xserver-xorg-core',
    'xserver-xorg-input-libinput', 'xinit', 'xterm', 'x11-xserver-utils', 'x11-utils',
    'libgl1-mesa-dri',
)
FILES = {
    '/usr/local/bin/': ('distro-scene', 'distro-terminal', 'distro-xterm'),
    '/etc/distro/': ('weston.ini', 'foot.ini', 'sway.config'),
    '/etc/systemd/system/': ('weston.service', 'sway.service', 'xorg.service'),
    '/etc/X11/xorg.conf.d/': ('xorg.conf',),
    # the default is a theme of another package, without which the splash is only text
    '/etc/plymouth/': ('plymouthd.conf',),
}
ROOT_UUID = '5eb1d1a7-1f00-4a2c-9d58-0c6f3b8f7a01'
SWAP_UUID = '5eb1d1a7-1f00-4a2c-9d58-0c6f3b8f7a02'
SETUP = f'''
echo distro >/etc/hostname
useradd -m -s /bin/sh desk
echo UUID={ROOT_UUID} / ext4 defaults 0 1 >/etc/fstab
echo UUID={SWAP_UUID} none swap sw 0 0 >>/etc/fstab
mkdir -p /etc/initramfs-tools/conf.d
echo RESUME=UUID={SWAP_UUID} >/etc/initramfs-tools/conf.d/resume
systemctl mask apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer \\
	fstrim.timer dpkg-db-backup.timer
update-initramfs -u
apt-get clean
'''
# GRUB's, on the disk: what the guest does at its next boot can be changed there.
# A busy machine stops a virtual processor for longer than the watchdogs allow.
COMMAND_LINE = ('console=tty0 console=ttyS0 vt.global_cursor_default=0 plymouth.enable=0 '
                'nowatchdog rcupdate.rcu_cpu_stall_timeout=300 '
                'workqueue.watchdog_thresh=300')
GRUB = '''set root=(hd0,msdos1)
set timeout=0
linux /vmlinuz root=UUID={uuid} ro {line}
initrd /initrd.img
boot
'''
GRUB_MODULES = ('biosdisk', 'part_msdos', 'ext2', 'linux', 'normal', 'configfile', 'boot')
SECTOR, GAP = 512, 1 << 20
ROOT_SIZE, SWAP_SIZE = 4 << 30, 1536 << 20


def base():
    """The directory"""
    return rootfs.make('distro', PACKAGES, SETUP)


def identity(root, package):
    """Of everything that a disk is made from"""
    h = hashlib.sha256(f'{root.name} {root.stat().st_mtime_ns}'.encode())
    for path in [*sorted((HERE / 'guest').iterdir()), Path(__file__)]:
        h.update(path.read_bytes())
    if package:
        h.update(sha256(package).encode())
    return h.hexdigest()[:12]


def disk(package=None):
    """Path of the disk without, or with the package"""
    root = base()
    name = 'package' if package else 'stock'
    path = DISTRO / 'disks' / f'{name}-{identity(root, package)}.raw'
    if path.exists():
        return path
    need_space(BUILD, 4.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in [*path.parent.glob(f'{name}-*'), *path.parent.glob(f'booted-{name}-*')]:
        old.unlink()
    new = path.with_name(f'.{path.name}.new')
    with rootfs.scratch(root) as here:
        _put_files(here)
        if package:
            install(here, package)
        with Step(f'make the disk "{name}"'):
            _make(new, here)
    new.rename(path)
    return path


def _put_files(root):
    for directory, names in FILES.items():
        (root / directory[1:]).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(HERE / 'guest' / name, root / directory[1:] / name)
    # what an installer leaves behind; else the first boot does it again
    for name in ('etc', 'var'):
        (root / name / '.updated').touch()
    grub = root / 'boot/grub'
    grub.mkdir(parents=True, exist_ok=True)
    (grub / 'grub.cfg').write_text(GRUB.format(uuid=ROOT_UUID, line=COMMAND_LINE))


def install(root, package):
    """apt, and with it DKMS and the initramfs, do it as on any machine."""
    shutil.copy(package, root / 'root' / package.name)
    with Step('install the package') as step, rootfs.proc(root):
        rootfs.run_in(root, 'apt-get', '-q', '-y', '--no-install-recommends', 'install',
                      f'/root/{package.name}', log=DISTRO / 'install.log',
                      on_line=lambda line: step.progress(line.strip()[:60]))
    (root / 'root' / package.name).unlink()


def _make(path, root):
    path.unlink(missing_ok=True)
    with open(path, 'wb') as image:
        image.truncate(GAP + ROOT_SIZE + SWAP_SIZE)
        image.write(_boot_record())
        core = _core()
        if SECTOR + len(core) > GAP:
            raise Failure('GRUB does not fit in front of the first partition')
        image.seek(SECTOR)
        image.write(core)
    _run('mkfs.ext4', '-q', '-F', '-U', ROOT_UUID, '-O', '^metadata_csum_seed,^orphan_file',
         '-E', f'offset={GAP},lazy_itable_init=1,root_owner=0:0', '-d', root, path,
         f'{ROOT_SIZE >> 10}k')
    swap = path.with_suffix('.swap')
    with open(swap, 'wb') as image:
        image.truncate(SWAP_SIZE)
    _run('mkswap', '-q', '-U', SWAP_UUID, swap)
    with open(swap, 'rb') as header, open(path, 'r+b') as image:
        image.seek(GAP + ROOT_SIZE)
        image.write(header.read(1 << 16))
    swap.unlink()


def _run(*command):
    r = subprocess.run(command, capture_output=True, text=True,
                       env=dict(os.environ, LC_ALL='C',
                                PATH=f'{os.environ["PATH"]}:/usr/sbin:/sbin'))
    if r.returncode:
        raise Failure(f'{command[0]}: {(r.stderr or r.stdout).strip()}')


def _grub():
    directory = Path('/usr/lib/grub/i386-pc')
    if not (directory / 'boot.img').exists():
        raise Failure('grub-pc-bin is not installed')
    return directory


def _boot_record():
    """GRUB's, which reads on from the second sector; and the partitions"""
    def partition(kind, start, size):
        return struct.pack('<B3xB3xII', 0x80 if kind == 0x83 else 0, kind,
                           start // SECTOR, size // SECTOR)
    code = (_grub() / 'boot.img').read_bytes()[:446]
    return (code + partition(0x83, GAP, ROOT_SIZE) +
            partition(0x82, GAP + ROOT_SIZE, SWAP_SIZE) + bytes(32) + b'\x55\xaa')


def _core():
    path = DISTRO / 'core.img'
    _run('grub-mkimage', '-O', 'i386-pc', '-d', _grub(), '-p', '(hd0,msdos1)/boot/grub',
         '-o', path, *GRUB_MODULES)
    return path.read_bytes()
