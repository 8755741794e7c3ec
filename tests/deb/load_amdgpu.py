#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
make test-amdgpu-package: the package of amdgpu, with Debian 13's stock kernel.

What must hold: without linux-source it says what to install. When that comes, DKMS builds
the driver from it and installs it in the place of the kernel's, and what was unpacked is
gone. The driver hibernates the model of an MI300X onto another one. The stock driver is
back when the package is removed.
"""
import argparse
import contextlib
import lzma
import shutil
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
for directory in ('scripts', 'tests/vm'):
    sys.path.insert(0, str(REPO / directory))
sys.dont_write_bytecode = True
import amdgpu                                   # noqa: E402
import deb                                      # noqa: E402
import model                                    # noqa: E402
import rootfs                                   # noqa: E402
from common import BUILD, CACHE, Step, human, main, say    # noqa: E402
from initramfs import build_initramfs           # noqa: E402
from verdict import Failure                     # noqa: E402
from vm import TAINT_OOT_MODULE, TAINT_USER, Files      # noqa: E402

PACKAGES = ('dkms', 'gcc', 'make', 'kmod', 'linux-headers-amd64', 'openssl', 'coccinelle',
            'python3', 'xz-utils', 'linux-source', 'linux-image-amd64', 'ccache')
BASE = '6.12'           # of Debian 13 itself
TOP = BUILD / 'deb/amdgpu'
LOG = TOP / 'install.log'
TAINT_UNSIGNED_MODULE = 1 << 13         # the key of DKMS is not enrolled
TIMEOUT = 600
# Debian's headers then put it in front of the compiler.
USE_CCACHE = ('DEBIAN_KERNEL_USE_CCACHE=1', 'CCACHE_DIR=/var/cache/ccache',
              'CCACHE_BASEDIR=/var/lib/dkms', 'CCACHE_NOHASHDIR=1')


class StockGuest(amdgpu.GpuGuest):
    """In the stock kernel the driver of the disk is a module."""

    def wait_until_booted(self):
        super().wait_until_booted()
        self.load_module('virtio_blk')


class StockVm(model.ModelVm):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.guest = StockGuest()


def expect(condition, otherwise):
    if not condition:
        raise Failure(otherwise)


def installed(root, kernel):
    """The file that modprobe takes"""
    return rootfs.run_in(root, 'modinfo', '-k', kernel, '-n', 'amdgpu').stdout.strip()


def in_initramfs(root, kernel):
    return [line for line in rootfs.run_in(
        root, 'lsinitramfs', f'/boot/initrd.img-{kernel}').stdout.splitlines()
        if '/amdgpu.ko' in line]


@contextlib.contextmanager
def ccache(root):
    """The project's, in a directory that is forgotten otherwise"""
    where = root / 'var/cache/ccache'
    where.mkdir()
    directory = CACHE / 'ccache'
    directory.mkdir(parents=True, exist_ok=True)
    rootfs.bind(directory, where)
    try:
        yield
    finally:
        rootfs.umount(where)


@contextlib.contextmanager
def _hidden(path):
    hidden = path.with_name('hidden')
    path.rename(hidden)
    yield
    hidden.rename(path)


def install(root, packages):
    # without plymouth nothing else asks for it
    (root / 'etc/initramfs-tools/modules').write_text('amdgpu\n')
    for package in packages:
        shutil.copy(package, root / 'root' / package.name)
    source, = (root / 'usr/src').glob('linux-source-*.tar.xz')
    with _hidden(source), Step('install the packages'):
        rootfs.run_in(root, 'dpkg', '-i', *(f'/root/{p.name}' for p in packages), log=LOG)
    expect(': install linux-source-' in LOG.read_text(), f'it does not say what is missing: {LOG}')
    with Step('build, as the source comes') as step:
        # as if it had been unpacked
        rootfs.run_in(root, 'dpkg-trigger', '--by-package=linux-source', '--no-await',
                      f'/usr/src/{source.name}', log=LOG)
        rootfs.run_in(root, 'env', *USE_CCACHE, 'dpkg', '--triggers-only', '-a', log=LOG,
                      on_line=lambda line: step.progress(line.strip()[:60]))


def expect_installed(root, kernel):
    tree = root / 'var/lib/dkms' / deb.AMDGPU
    logs = [*tree.glob(f'*/{kernel}/**/make.log'), *tree.glob('*/build/make.log')]
    made = logs[0].read_text(errors='replace') if logs else ''
    (TOP / 'make.log').write_text(made)
    ours = f'/lib/modules/{kernel}/updates/dkms/amdgpu.ko.xz'
    expect(installed(root, kernel) == ours, f'amdgpu was not built: see {LOG} and make.log')
    bad = [line for line in made.splitlines()
           if ('warning' in line.lower() and 'compiler differs' not in line) or
           'undefined!' in line]
    expect(not bad, f'the build said: {bad[:1]}')
    depends = rootfs.run_in(root, 'modinfo', '-F', 'depends', ours).stdout
    expect('drm_virt_pm' in depends, f'amdgpu depends on {depends}')
    left = [*tree.glob('*/build')]
    expect(not left, f'left behind: {left[:1]}')
    inside = in_initramfs(root, kernel)
    expect(inside and all('/updates/dkms/' in line for line in inside),
           'the driver is not in the initramfs')
    say('  built and installed')


def remove(root, kernel):
    rootfs.run_in(root, 'dpkg', '-r', f'{deb.AMDGPU}-dkms', log=LOG)
    found = installed(root, kernel)
    expect('/kernel/drivers/' in found, f'after removal the driver is {found}')
    inside = in_initramfs(root, kernel)
    expect(inside and not [line for line in inside if '/updates/' in line],
           f'after removal the initramfs has {inside}')


def modules(root, kernel, name):
    """(name, path) of it and of what it needs, in the order of loading"""
    found = []
    said = rootfs.run_in(root, 'modprobe', '-S', kernel, '--show-depends', name).stdout
    for line in said.splitlines():
        word, _, path = line.strip().partition(' ')
        if word == 'insmod':
            path = root / path[1:]
            plain = TOP / 'modules' / path.name.removesuffix('.xz')
            plain.parent.mkdir(exist_ok=True)
            plain.write_bytes(lzma.decompress(path.read_bytes()))
            found.append((plain.stem.replace('-', '_'), plain))
    return found


def sleep(kernel_image, driver, disk):
    """The model's GPU works, also after a hibernation onto another one."""
    tree = BUILD / BASE / 'work/stock/tree'
    program = model.build_model(tree, BUILD / BASE / 'models')
    plain = build_initramfs(REPO / 'tests/guest', BUILD / BASE, TOP)
    initramfs = TOP / 'initramfs'
    amdgpu.with_driver(plain, initramfs, [*driver, *disk])
    files = Files(TOP, kernel_image, initramfs)
    files.console.unlink(missing_ok=True)
    setup = model.ModelSetup(
        cpus=2, known_taints=TAINT_USER | TAINT_OOT_MODULE | TAINT_UNSIGNED_MODULE)
    vm = StockVm(setup, files, model.Parts(program, initramfs, driver), timeout=TIMEOUT)
    try:
        vm.power_on_with_driver('CPX')
        vm.use_gpu()
        say('  loaded; its engines, partitions and compute processes work')
        vm.hibernate_and_power_off()
        vm.power_on_again_with_driver()
        vm.expect_gpu_came_back()
        say('  hibernated, and resumed on another GPU')
        vm.final_check()
    finally:
        vm.close()
        files.swap.unlink(missing_ok=True)


def run():
    argparse.ArgumentParser(description=__doc__).parse_args()
    start = time.monotonic()
    packages = deb.build()
    shutil.rmtree(TOP, ignore_errors=True)
    TOP.mkdir(parents=True)
    root = rootfs.make('amdgpu', PACKAGES)
    try:
        with rootfs.scratch(root) as here, rootfs.proc(here), ccache(here):
            kernel, = (path.name for path in (here / 'lib/modules').iterdir())
            install(here, packages)
            driver = modules(here, kernel, 'amdgpu')
            disk = modules(here, kernel, 'virtio_blk')
            image = TOP / 'bzImage'
            shutil.copy(here / f'boot/vmlinuz-{kernel}', image)
            expect_installed(here, kernel)
            remove(here, kernel)
            say('  removed: the stock driver is back')
        sleep(image, driver, disk)
    except Failure as why:
        say(f'FAIL amdgpu-package: {why} (all of it in {TOP.relative_to(REPO)})')
        return 1
    say(f'ok amdgpu-package: {kernel} ({human(time.monotonic() - start)})')
    return 0


if __name__ == '__main__':
    main('amdgpu-package', run)
