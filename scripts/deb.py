#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the Debian packages: build/deb/drm-virt-pm-*dkms_*.deb and .changes.

The first holds, for each kernel of kernels/table, the directories that packaging/modules
names with our files and hooks attached, and no tests. DKMS builds from the one that
fits a kernel. That of amdgpu, which is large, holds only what attaches it to a kernel's
own source. FROM='Name <mail>' in the environment is the maintainer.
"""
import os
import re
import shutil
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

sys.dont_write_bytecode = True
from common import (BUILD, REPO, Failure, Step, kernels, main,  # noqa: E402
                    say, write_if_changed)
from hooks import Files, apply_hooks                            # noqa: E402
from kernel import Kernel, lock, run_logged                     # noqa: E402
from overlay import lay, own_files, without_missing             # noqa: E402
from series import author_and_date, sender                      # noqa: E402

NAME = 'drm-virt-pm'
AMDGPU = f'{NAME}-amdgpu'
VERSION = '2.0'
DRM = 'drivers/gpu/drm'
PACKAGING = REPO / 'packaging'
AS_IT_IS = ('drm-virt-pm-check', 'drm-virt-pm-check.8', 'initramfs/drm-virt-pm',
            'header_postinst.d/zz-drm-virt-pm')
NO_SOURCE = ('Kconfig', 'TODO', '.gitignore')
NO_MODULE = ('amd',)        # what packaging/modules need not name
OTHER_HOOKS = ('amdgpu-', 'ttm-', 'virtio_pci-')    # of what the package does not build
# what the package is made from: a commit to something else makes no other package
MADE_FROM = ('drivers', 'hooks', 'include', 'kernels', 'packaging',
             *(f'scripts/{name}.py' for name in ('common', 'deb', 'hooks', 'overlay')))
ATTACHING = ('hooks/macros.h', *(f'scripts/{name}.py' for name in ('common', 'hooks', 'overlay')))


def modules(own):
    """(directory, name) of each module that the repository has something of"""
    found = []
    for line in (PACKAGING / 'modules').read_text().splitlines():
        if line.strip() and not line.startswith('#'):
            directory, name = line.split()
            if any(n.startswith(f'{DRM}/{directory}/') for n in own):
                found.append((directory, name))
    ours = {n.split('/')[3] for n in own if n.startswith(f'{DRM}/')}
    for directory in sorted(ours - {d for d, _ in found} - set(NO_MODULE)):
        raise Failure(f'packaging/modules says nothing of {DRM}/{directory}')
    return found


def _is_test(name):
    return '/tests/' in name


def sources(tree, directories, top=REPO):
    """Path: content, of what is built for this kernel"""
    own = own_files(top)
    files = Files(tree)
    lay(files, own)
    apply_hooks(files, top, chosen=lambda name: not name.startswith(OTHER_HOOKS),
                edits=lambda file: '/amd/' not in file)
    tests = set(filter(_is_test, own))
    found = {}
    for directory in directories:
        old = [p.relative_to(tree).as_posix()
               for p in (Path(tree) / DRM / directory).rglob('*') if p.is_file()]
        for name in sorted({*old, *files.changed}):
            if (not name.startswith(f'{DRM}/{directory}/') or _is_test(name) or
                    name.rpartition('/')[2] in NO_SOURCE):
                continue
            text = files.read(name)
            found[name] = without_missing(name, text, tests) \
                if name.endswith('Makefile') else text
    for name in own:
        if name.startswith('include/'):
            found[name] = files.read(name)
    return found


def version():
    """Of the last commit to its sources, so that a newer one is an upgrade; and its time"""
    # root builds in the clone of a user too
    r = subprocess.run(['git', '-c', 'safe.directory=*', '-C', REPO, 'log', '-1',
                        '--date=raw', '--format=%h %cd', '--', *MADE_FROM],
                       capture_output=True, text=True)
    if r.returncode or not r.stdout:    # an archive, perhaps inside of another clone
        return VERSION, 1767225600
    commit, date = r.stdout.split()[:2]
    stamp = time.strftime('%Y%m%d.%H%M%S', time.gmtime(int(date)))
    return f'{VERSION}+git{stamp}.{commit}', int(date)


def attaching():
    """Path: content, of what attaches our files and hooks to amdgpu where DKMS builds"""
    for path in (PACKAGING / 'amdgpu').iterdir():
        if path.name != 'dkms.conf':
            yield path.name, path.read_text()
    for name in ATTACHING:
        yield name, (REPO / name).read_text()
    for name, text in own_files(REPO).items():
        if name.startswith(f'{DRM}/amd/') and not _is_test(name) and 'Kconfig' not in name:
            yield name, text
    for path in (REPO / 'hooks').glob('amdgpu-*.cocci'):
        # clang-format, which is large, only makes a source nice to read
        yield f'hooks/{path.name}', path.read_text().replace('//# format\n', '')
    edits = (REPO / 'hooks/kbuild.edits').read_text().split('\n\n')
    yield 'hooks/kbuild.edits', '\n\n'.join(e for e in edits if f'edit {DRM}/amd/' in e)


def dkms_conf(name, where, bases, found, at_version):
    text = (PACKAGING / 'dkms.conf').read_text()
    if name == AMDGPU:
        text += (PACKAGING / 'amdgpu/dkms.conf').read_text()
    for word, value in (('NAME', name), ('VERSION', at_version),
                        ('BASES', '|'.join(map(re.escape, bases)))):
        text = text.replace(f'@{word}@', value)
    for n, (directory, module) in enumerate(found):
        text += (f'\nBUILT_MODULE_NAME[{n}]="{module}"\n'
                 f'BUILT_MODULE_LOCATION[{n}]="{where}/{DRM}/{directory}"\n'
                 f'DEST_MODULE_LOCATION[{n}]="/updates/dkms"\n')
    return text


def changelog(at_version, date, maintainer):
    return (f'{NAME} ({at_version}) unstable; urgency=medium\n\n'
            '  * The modules and the program of this commit.\n\n'
            f' -- {maintainer}  {formatdate(date, usegmt=False)}\n')


def prepare(directory, at_version, date):
    """A source package, in a directory that is empty"""
    own = own_files(REPO)
    found = modules(own)
    bases = list(kernels())
    for base in bases:
        os.environ.update(KERNEL=base, STOCK='0', DEBUG='0')
        kernel = Kernel()
        with lock():
            kernel.unpack()
        with Step(f'attach to {base} what the package has of it'):
            for name, text in sources(kernel.pristine,
                                      [d for d, _ in found]).items():
                write_if_changed(directory / 'src' / base / name, text.encode())
    maintainer = sender() or author_and_date()[0]
    words = {'MAINTAINER': maintainer,
             'TRIGGERS': '\n'.join(f'interest-noawait /usr/src/{package}.tar.xz'
                                   for package, _ in kernels().values()),
             'BASES_TEXT': ', '.join(bases[:-1]) + f' and {bases[-1]}'}
    for path in (PACKAGING / 'debian').rglob('*'):
        if path.is_file():
            text = re.sub('@([A-Z_]+)@', lambda m: words.get(m[1], m[0]),
                          path.read_text())
            for name in ([f'{name}-{path.name}' for name in (NAME, AMDGPU)]
                         if path.stem == 'dkms' else
                         [path.relative_to(PACKAGING / 'debian')]):
                write_if_changed(directory / 'debian' / name,
                                 text.encode(), path.stat().st_mode & 0o777)
    for name, text in (
            ('debian/source/format', '3.0 (native)\n'),
            ('debian/changelog', changelog(at_version, date, maintainer)),
            ('src/Kbuild', (PACKAGING / 'Kbuild').read_text()),
            (f'debian/{NAME}-dkms.dkms', dkms_conf(NAME, '$base', bases, found, at_version)),
            (f'debian/{AMDGPU}-dkms.dkms', dkms_conf(
                AMDGPU, 'tree', bases, [('amd/amdgpu', 'amdgpu')], at_version)),
            *((f'amdgpu/{name}', text) for name, text in attaching())):
        write_if_changed(directory / name, text.encode())
    (directory / 'amdgpu/prepare').chmod(0o755)
    for name in AS_IT_IS:
        write_if_changed(directory / name, (PACKAGING / name).read_bytes(),
                         (PACKAGING / name).stat().st_mode & 0o777)


def build():
    """Paths of the package, and of that of amdgpu"""
    top = BUILD / 'deb'
    at_version, date = version()
    new = top / 'new'
    shutil.rmtree(new, ignore_errors=True)
    source = new / f'{NAME}-{at_version}'
    source.mkdir(parents=True)
    prepare(source, at_version, date)
    with Step(f'build the package {at_version}'):
        env = {k: v for k, v in os.environ.items()
               if k in ('PATH', 'HOME', 'TMPDIR', 'USER')}
        env.update(LC_ALL='C', SOURCE_DATE_EPOCH=str(date))
        run_logged(['env', '-C', str(source), 'dpkg-buildpackage', '-us', '-uc',
                    '--no-check-builddeps'], top / 'build.log', env=env)
    # only what is complete replaces what is there
    for old in top.glob(f'{NAME}*'):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path in new.iterdir():
        path.rename(top / path.name)
    new.rmdir()
    return tuple(next(top.glob(f'{name}-dkms_*.deb')) for name in (NAME, AMDGPU))


def lint(deb):
    """lintian is silent, or what it says"""
    if not shutil.which('lintian'):
        say('lintian: skipped, it is not installed')
        return
    changes, = deb.parent.glob('*.changes')
    with Step('lintian'):
        r = subprocess.run(['lintian', '--allow-root', '--fail-on', 'error,warning',
                            '--display-info', '--tag-display-limit', '0', changes],
                           capture_output=True, text=True,
                           env=dict(os.environ, LC_ALL='C'))
    said = (r.stdout + r.stderr).strip()
    if r.returncode or said:
        raise Failure(f'lintian says:\n{said or f"exit {r.returncode}"}')


def run():
    deb, amdgpu = build()
    lint(deb)
    say(f'{deb.relative_to(REPO)} is ready; in a Debian 13, with linux-image-amd64 and '
        f'linux-headers-amd64: apt install ./{deb.name}')
    say(f'for amdgpu also, with linux-source: apt install ./{deb.name} ./{amdgpu.name}')


if __name__ == '__main__':
    main('deb', run)
