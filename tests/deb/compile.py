#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Builds the modules of the Debian package as its users do: with DKMS, Debian 13's
compiler and the headers of its stock kernels, one of each that the package is for.

All of them, unless bases like 6.12 are named behind the file for the counts.

What must hold: all modules come out for the kernel asked for, nothing was said that
is a warning, and a kernel that the package is not for is told so and skipped, as are all
where Secure Boot is on. That of amdgpu says which source it wants, and takes no other;
load_amdgpu.py builds it. The scripts of the packages leave no kernel and no initramfs out.
"""
import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / 'scripts'))
sys.dont_write_bytecode = True
import deb                                      # noqa: E402
import rootfs                                   # noqa: E402
from common import (BUILD, Failure, kernels, main, say)     # noqa: E402
from overlay import own_files                   # noqa: E402

PACKAGES = ('dkms', 'gcc', 'make', 'kmod', 'linux-headers-amd64', 'openssl', 'python3')
# of each base the newest, wherever Debian 13 has it
HEADERS = '''for base in {bases}; do
	newest=$(apt-cache search --names-only "^linux-headers-$base\\.[0-9]*.deb13-amd64\\$" |
		sed 's/ .*//' | sort -V | tail -n 1)
	test -z "$newest" || apt-get -q -y install --no-install-recommends "$newest"
done'''
# kernel: its configuration
NOT_FOR = {
    '5.99.1-amd64': 'CONFIG_HIBERNATION=y\nCONFIG_DRM_VIRTIO_GPU=m\nCONFIG_DRM_QXL=m\n'
                    'CONFIG_DRM_AMDGPU=m\n',
    '6.12.1-cloud-amd64': 'CONFIG_HIBERNATION=y\n# CONFIG_DRM is not set\n',
}
SKIPPED = 77            # DKMS: not for this kernel
LOG = BUILD / 'deb/compile.log'


class Complaint(Exception):
    """What had to hold does not"""


def stock_kernels(root, bases):
    """base: the newest stock kernel whose headers are there"""
    found = {}
    for base in bases:
        names = [p.name for p in (root / 'lib/modules').glob(f'{base}.*')
                 if (p / 'build').exists() or (p / 'build').is_symlink()]
        found[base] = max(names, key=lambda name: int(
            name[len(base) + 1:].split('+')[0].split('-')[0])) if names else None
    return found


def add(root, package):
    subprocess.run(['dpkg-deb', '-x', package, root], check=True)
    name, version = package.name.split('_')[:2]
    module = f'{name.removesuffix("-dkms")}/{version}'
    r = rootfs.run_in(root, 'dkms', 'add', module)
    if r.returncode:
        raise Complaint(f'dkms add: {(r.stderr or r.stdout).strip()}')
    return module


def dkms_build(root, module, kernel):
    r = rootfs.run_in(root, 'dkms', 'build', module, '-k', kernel)
    tree = root / 'var/lib/dkms' / module
    # of a build that failed, the log is where it was made
    makelogs = [*tree.glob(f'{kernel}/**/make.log'),
                *(tree.glob('build/make.log') if r.returncode else ())]
    made = makelogs[0].read_text(errors='replace') if makelogs else ''
    with open(LOG, 'a') as log:
        log.write(f'# {kernel}\n{r.stdout}{r.stderr}{made}')
    return r, made


def compile_for(root, module, kernel, names):
    r, made = dkms_build(root, module, kernel)
    if r.returncode:
        bad = [li for li in made.splitlines() if ' error' in li.lower()]
        raise Complaint((bad or (r.stderr or r.stdout).strip().splitlines()
                         or ['dkms says nothing'])[0])
    warnings = [li for li in made.splitlines()
                if 'warning:' in li.lower() and 'compiler differs' not in li]
    if warnings:
        raise Complaint(warnings[0])
    for name in names:
        found = list((root / f'var/lib/dkms/{module}/{kernel}').glob(
            f'**/module/{name}.ko*'))
        if len(found) != 1:
            raise Complaint(f'{name} was not made')
        inside = '/' + str(found[0].relative_to(root))
        magic = rootfs.run_in(root, 'modinfo', '-F', 'vermagic', inside).stdout
        if magic.split()[:1] != [kernel]:
            raise Complaint(f'{name} is for {magic.split()[:1]}')


def refuses(root, module, kernel, config):
    """A kernel that it is not for: nothing is built, which is no failure."""
    build = root / f'lib/modules/{kernel}/build'
    build.mkdir(parents=True, exist_ok=True)
    (build / '.config').write_text(config)
    (build / 'Makefile').write_text('all:\n')
    (build / 'include').mkdir(exist_ok=True)
    _expect_skipped(root, module, kernel, 'BUILD_EXCLUSIVE')
    shutil.rmtree(build.parent)


def refuses_locked_down(root, library, amdgpu, kernel):
    """One line says why, and nothing is left. That the host of a chroot is locked down is
    seen in all other tests here, and makes no difference."""
    ischroot = root / 'usr/bin/ischroot'
    with replaced(ischroot, 'exit 1'):
        for module in (library, amdgpu):
            line = f'{module.partition("/")[0]}: not for a kernel that is locked down'
            _expect_skipped(root, module, kernel, line)
        # one whose key is enrolled is not skipped, with the key that DKMS is told to take
        for name, key, said in (('framework.conf', '/var/lib/dkms/mok.pub', 'enrolled'),
                                ('framework.conf', '/etc/own.der', 'enrolled'),
                                ('framework.conf.d/own.conf', '/etc/own.der', 'in db')):
            settings = root / 'etc/dkms' / name
            kept = settings.read_text() if settings.exists() else ''
            if 'own' in key:
                settings.write_text(f'{kept}\nmok_certificate={key}\n')
            with replaced(root / 'usr/bin/mokutil', f'test "$*" = "--test-key {key}" && '
                          f'echo "$2 is already {said}" || echo "$2 is not enrolled"'):
                conf = f'/usr/src/{library.replace("/", "-")}/dkms.conf'
                only = rootfs.run_in(root, 'bash', '-c', f'kernelver={kernel}; . {conf}; '
                                     'echo "$BUILD_EXCLUSIVE_KERNEL"')
            settings.write_text(kept)
            if not re.search(only.stdout.strip(), kernel) or only.stderr:
                raise Complaint(f'with the key {key} of {name}, which is {said}, only for '
                                f'{only.stdout}{only.stderr}')


@contextlib.contextmanager
def replaced(path, script):
    """A command of the root directory, by a script"""
    kept = path.with_name(f'{path.name}.kept')
    if path.exists():
        path.rename(kept)
    path.write_text(f'#!/bin/sh\n{script}\n')
    path.chmod(0o755)
    try:
        yield
    finally:
        path.unlink()
        if kept.exists():
            kept.rename(path)


def leaves_none_out(root, package):
    """An upgrade and a new source build for all kernels, and their initramfs are made;
    those of initramfs-tools or dracut, also when headers come later."""
    control = root / 'control'
    subprocess.run(['dpkg-deb', '-e', package, control], check=True)
    (root / 'usr/sbin/update-initramfs').unlink(missing_ok=True)
    for kernel in ('9.1-amd64', '9.2-amd64'):   # whatever else there is
        (root / f'lib/modules/{kernel}/build/include').mkdir(parents=True, exist_ok=True)
    there = sorted(path.name for path in (root / 'lib/modules').iterdir())
    *with_image, without = there
    for kernel in with_image:
        (root / f'boot/initrd.img-{kernel}').touch()
    for tool, words in ((root / 'usr/sbin/update-initramfs', 'update-initramfs -u -k '),
                        (root / 'etc/kernel/postinst.d/dracut', 'dracut ')):
        say_it = 'echo "${0##*/} $*" >>/said'
        with replaced(root / 'usr/sbin/dkms', say_it), replaced(tool, say_it):
            updates = [f'{words}{kernel}' for kernel in with_image]
            builds = [f'dkms autoinstall -k {kernel}' for kernel in there]
            for what in ('configure 1.0', 'triggered'):
                _expect_said(root, f'/control/postinst {what}', [*builds, *updates])
            forbidden = root / 'etc/dkms/no-autoinstall'
            forbidden.touch()
            _expect_said(root, '/control/postinst configure 1.0', updates)
            forbidden.unlink()
            _expect_said(root, '/control/prerm upgrade', [])
            _expect_said(root, '/control/prerm remove', updates)
            kernel = with_image[0]
            _expect_said(root, f'run-parts --arg={kernel} /etc/kernel/header_postinst.d',
                         [f'dkms autoinstall --kernelver {kernel}', f'{words}{kernel}'])
            _expect_said(root, f'run-parts --arg={without} /etc/kernel/header_postinst.d',
                         [f'dkms autoinstall --kernelver {without}'])
            check = root / 'usr/sbin/drm-virt-pm-check'
            check.rename(root / 'check')        # removed, but not purged
            _expect_said(root, f'/etc/kernel/header_postinst.d/zz-drm-virt-pm {kernel}', [])
            (root / 'check').rename(check)
    shutil.rmtree(control)


def _expect_said(root, command, expected):
    said = root / 'said'
    said.write_text('')
    r = rootfs.run_in(root, 'sh', '-ec', f'export DPKG_MAINTSCRIPT_PACKAGE=x; {command}')
    found = [line for line in said.read_text().splitlines()
             if line.split()[1] not in ('status', 'add', 'build', 'install', 'remove')]
    if r.returncode or found != expected:
        raise Complaint(f'{command}: exit {r.returncode}, {found} and not {expected}: '
                        f'{r.stderr.strip()}')


def refuses_other_source(root, library, module, kernel):
    """Without linux-source, and with an older one: a line with the package to install."""
    base = '.'.join(kernel.split('.')[:2])
    wanted = rootfs.run_in(root, 'dpkg-query', '-W', '-f', '${source:Version}',
                           f'linux-headers-{kernel}').stdout
    line = f'not built for {kernel}: install linux-source-{base}={wanted}, '
    rootfs.run_in(root, 'dkms', 'install', library, '-k', kernel)
    _expect_skipped(root, module, kernel, line)
    (root / f'usr/src/linux-source-{base}.tar.xz').touch()
    with open(root / 'var/lib/dpkg/status', 'a') as status:
        status.write(f'Package: linux-source-{base}\nStatus: install ok installed\n'
                     'Maintainer: nobody\nArchitecture: all\nDescription: older\n'
                     f'Version: {base}.1-1\n\n')
    _expect_skipped(root, module, kernel, line, f'installed is {base}.1-1')


def _expect_skipped(root, module, kernel, *words):
    r, _ = dkms_build(root, module, kernel)
    said = ' '.join((r.stdout + r.stderr).split())
    if r.returncode != SKIPPED or not all(word in said for word in words):
        raise Complaint(f'exit {r.returncode}, and not {" ".join(words)}: {said}')
    if (root / 'var/lib/dkms' / module / kernel).exists():
        raise Complaint(f'something was built for {kernel}')


def attempt(what, function, *arguments):
    start = time.monotonic()
    try:
        function(*arguments)
    except Complaint as why:
        say(f'FAIL package:{what}: {why} (all of it in {LOG.relative_to(REPO)})')
        return 0
    say(f'ok package:{what} ({time.monotonic() - start:.0f} s)')
    return 1


def run():
    outcome = {'passed': 0, 'failed': 0, 'skipped': 0}
    bases = sys.argv[2:] or list(kernels())
    packages = deb.build()
    names = [name for _, name in deb.modules(own_files(REPO))]
    LOG.write_text('')
    try:
        root = rootfs.make('headers', PACKAGES, HEADERS.format(
            bases=' '.join(base.replace('.', '\\\\.') for base in kernels())))
    except Failure as why:
        say(f'skip package: {why}')
        outcome['skipped'] += 1
    else:
        with rootfs.scratch(root) as here, rootfs.proc(here):
            module, amdgpu = (add(here, package) for package in packages)
            lockdown = here / 'sys/kernel/security/lockdown'
            lockdown.parent.mkdir(parents=True)
            lockdown.write_text('none [integrity] confidentiality\n')
            results = []
            for base, kernel in stock_kernels(here, bases).items():
                if not kernel:
                    say(f'skip package:{base}: Debian 13 has no headers of it')
                    outcome['skipped'] += 1
                    continue
                results += [attempt(f'{kernel}, locked down', refuses_locked_down, here,
                                    module, amdgpu, kernel),
                            attempt(kernel, compile_for, here, module, kernel, names),
                            attempt(f'amdgpu for {kernel}', refuses_other_source, here,
                                    module, amdgpu, kernel)]
            results += [attempt(f'no kernel of {name}: {kernel}', refuses, here, name,
                                kernel, config)
                        for name in (module, amdgpu) for kernel, config in NOT_FOR.items()]
            results += [attempt(f'scripts of {package.name}', leaves_none_out, here, package)
                        for package in packages]
        outcome['passed'] = sum(results)
        outcome['failed'] = len(results) - sum(results)
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(json.dumps(outcome))
    return 1 if outcome['failed'] else 0


if __name__ == '__main__':
    main('package', run)
