# SPDX-License-Identifier: GPL-2.0-only
"""Builds a kernel: KERNEL, DEBUG, STOCK, ARCH and PAGES come from the environment.

build/<kernel>/          what is for use: bzImage, vmlinux, config, build.log
    debug/ stock/ stock-debug/           the same of the other variants
    arm64/ arm64-64k/    the same for arm64, whose image is Image
    source, tree         the pristine sources, and those with our files
    work/{stock,ours}/{tree,obj,obj-debug,obj-arm64,obj-arm64-64k}

All builds see their sources as ../tree: that keeps the compiler's
command lines equal, so that ccache serves one variant with another's objects.
"""
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from common import (BUILD, CACHE, REPO, Failure, Step, kernels,  # noqa: E402
                    main, need_space, say, sha256, write_if_changed)
from fetch import fetch         # noqa: E402
from kconfig import configure   # noqa: E402

STEP = re.compile(r'  (?:CC|AS|HOSTCC|AR|LD|CHK|GEN|UPD|VDSO)\b')
ERROR = re.compile(r' error: |undefined reference|No rule to make')
AMDGPU = 'drivers/gpu/drm/amd/amdgpu/amdgpu.ko'
FIRST_GUESS, FIRST_GUESS_AMDGPU = 2000, 450      # steps of a build, until one has been counted
# make's image, where it is, the prefix of the compiler
ARCHS = {'x86': ('bzImage', 'arch/x86/boot/bzImage', ''),
         'arm64': ('Image', 'arch/arm64/boot/Image', 'aarch64-linux-gnu-')}
SOURCE_GB, OBJ_GB, OBJ_DEBUG_GB = 2.0, 0.7, 1.5


def flag(name):
    return os.environ.get(name, '0') not in ('', '0', 'n', 'no')


class Kernel:
    def __init__(self):
        self.name = os.environ.get('KERNEL', '6.12')
        table = kernels()
        if self.name in table:
            self.package, self.suites = table[self.name]
        elif re.fullmatch(r'\d+\.\d+', self.name):
            self.package = f'linux-source-{self.name}'
            self.suites = list(dict.fromkeys(
                s for _, suites in table.values() for s in suites))
            say(f'kernel {self.name}: NOT in kernels/table, nobody has tested '
                f'it; trying {self.package}')
        else:
            raise Failure(f'KERNEL={self.name} is neither one of '
                          f'{" ".join(table)}, nor a version as 6.18 is')
        self.stock, self.debug = flag('STOCK'), flag('DEBUG')
        self.amdgpu = flag('AMDGPU')
        self.top = BUILD / self.name
        self.arch = os.environ.get('ARCH') or 'x86'
        pages = os.environ.get('PAGES') or '4k'
        self._refuse_unknown(pages)
        machine = ['arm64'] * (self.arch == 'arm64') + ['64k'] * (pages == '64k')
        self.configs = ['guest', self.arch, *(['arm64-64k'] if pages == '64k' else [])]
        self.image, self.image_path, self.cross = ARCHS[self.arch]
        self.variant = '-'.join(['stock'] * self.stock + machine +
                                ['debug'] * self.debug)
        self.out = self.top / self.variant
        self.work = self.top / 'work' / ('stock' if self.stock else 'ours')
        self.pristine = self.top / 'work/stock/tree'
        self.tree = self.work / 'tree'
        self.obj = self.work / '-'.join(['obj', *machine] + ['debug'] * self.debug)
        self.log = None
        self.package_version = None      # name and version of the package, once unpacked

    def _refuse_unknown(self, pages):
        if self.arch not in ARCHS:
            raise Failure(f'ARCH={self.arch} is not one of {" ".join(ARCHS)}')
        if pages not in ('4k', '64k') or pages == '64k' and self.arch != 'arm64':
            raise Failure(f'PAGES={pages}: 4k, or 64k with ARCH=arm64')
        if self.arch == 'arm64' and (self.debug or self.amdgpu):
            raise Failure('ARCH=arm64 has neither DEBUG=1 nor AMDGPU=1')

    def title(self):
        return ' '.join([self.name] + (self.variant.split('-')
                                       if self.variant else []))

    # ---- sources

    def unpack(self):
        """The pristine tree, of the newest package that was asked for."""
        stamp = self.pristine.parent / 'package'
        if stamp.exists() and not flag('REFRESH'):
            self.package_version = stamp.read_text().split()[0]
            say(f'kernel {self.title()}: {self.package_version}')
            return
        need_space(BUILD, SOURCE_GB + OBJ_GB)
        deb = fetch(self.package, self.suites, flag('REFRESH'))
        identity = f'{deb.stem} {sha256(deb)}\n'
        self.package_version = deb.stem
        say(f'kernel {self.title()}: {deb.stem}')
        if stamp.exists() and stamp.read_text() == identity:
            return
        work = self.top / 'work'
        new = work / 'stock.new'
        for old in sorted(work.glob('*')):
            remove(old)
        (new / 'tree').mkdir(parents=True)
        with Step(f'unpack {deb.stem}') as step:
            unpack = (f'dpkg-deb --fsys-tarfile "$1" | '
                      f'tar -xO --wildcards "./usr/src/{self.package}.tar.*" '
                      f'| tar -xJ --strip-components=1 -C "$2" '
                      f'--checkpoint=20000 --checkpoint-action=echo=%u')
            run_logged(['bash', '-o', 'pipefail', '-c', unpack, '-', str(deb),
                        str(new / 'tree')], self.top / 'unpack.log',
                       lambda line: line.rsplit(':')[-1].strip().isdigit() and
                       step.progress(f'{int(line.rsplit(":")[-1]) // 100} '
                                     'MB'))
        (new / 'package').write_text(identity)
        new.rename(work / 'stock')

    def attach(self):
        """The tree with our files: hard links, and files of its own where
        it differs."""
        if not self.work.exists():
            new = self.work.with_name('ours.new')
            remove(new)
            new.mkdir()
            with Step('link a tree of our own'):
                run_logged(['cp', '-al', str(self.pristine),
                            str(new / 'tree')], self.top / 'link.log')
            new.rename(self.work)
        with Step('attach our files and hooks'):
            r = subprocess.run([sys.executable, str(REPO / 'scripts/attach'),
                                str(self.pristine), str(self.tree)])
        if r.returncode:
            raise Failure('the repository does not attach to this kernel '
                          '(see above); the tree is as it was')

    # ---- build

    def make(self, *targets, extra_env=None, on_line=None):
        # Of the environment only what is needed: make hands over DEBUG=1 and
        # its own MAKEFLAGS, and a stray ARCH or O would build another kernel.
        env = {k: v for k, v in os.environ.items()
               if k in ('PATH', 'HOME', 'TMPDIR', 'USER')}
        env.update(
            LC_ALL='C',
            KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026',
            KBUILD_BUILD_USER='drm_virt_pm', KBUILD_BUILD_HOST='drm_virt_pm',
            KBUILD_BUILD_VERSION='1',
            CCACHE_DIR=str(CACHE / 'ccache'), CCACHE_MAXSIZE='10G',
            CCACHE_COMPRESS='1', CCACHE_NOHASHDIR='1',
            CCACHE_BASEDIR=str(BUILD.resolve()),
            **(extra_env or {}))
        cmd = ['make', '-C', str(self.tree.resolve()),
               f'O={self.obj.resolve()}', f'-j{len(os.sched_getaffinity(0))}',
               f'ARCH={self.arch}', f'CROSS_COMPILE={self.cross}',
               f'CC=ccache {self.cross}gcc', 'HOSTCC=ccache gcc', *targets]
        run_logged(cmd, self.log, on_line, env, append=True)

    def configure(self):
        fragments = [REPO / f'kernels/{name}.config' for name in self.configs]
        if self.arch == 'x86':
            fragments.append(REPO / 'kernels/amdgpu.config')
        if self.debug:
            fragments.append(REPO / 'kernels/debug.config')
        if not self.stock:
            fragments.append(REPO / 'kernels/ours.config')
        with Step('configure'):
            configure(self.tree.resolve(), self.obj, fragments, self.make)

    def compile(self, target, result, what='', guess=FIRST_GUESS):
        """make @target, which leaves @result, a path in the object tree."""
        first = not (self.obj / result).exists()
        memory = CACHE / 'steps' / '-'.join(
            [self.name, self.variant or 'plain'] + [what] * bool(what))
        try:
            total = int(memory.read_text())
        except (FileNotFoundError, ValueError):
            total = guess
        done = warnings = 0

        with Step(' '.join(['compile', self.title(), what]).strip()) as step:
            def count(line):
                nonlocal done, warnings
                warnings += ' warning: ' in line
                if STEP.match(line):
                    done += 1
                    step.progress(f'{done} of about {max(total, done)} steps'
                                  if first else f'{done} steps')
            self.make(target, on_line=count)
        if warnings:
            say(f'  the compiler warned {warnings} times: {self.log}')
        # an interrupted build counts only its second half
        if first and done > total / 2:
            write_if_changed(memory, f'{done}\n'.encode())

    def compile_amdgpu(self):
        """The kernel's own modules, which are amdgpu and what it needs."""
        self.compile('modules', AMDGPU, 'amdgpu', FIRST_GUESS_AMDGPU)
        directory = self.out / 'amdgpu'
        directory.mkdir(exist_ok=True)
        link(directory / 'obj', self.obj)
        write_if_changed(directory / 'built-for', self.image_hash().encode())

    def image_hash(self):
        return hashlib.sha256((self.obj / 'vmlinux').read_bytes()).hexdigest()

    def _module_sources(self):
        """(path, content): those of the tests, and the driver to be a module"""
        ours = REPO / 'tests/guest/modules'
        for source in ours.rglob('*'):
            if source.is_file():
                yield source.relative_to(ours), source.read_bytes()
        for source in (self.tree / 'drivers/gpu/drm/virtio').glob('virtgpu_*.[ch]'):
            for module in ours.glob('vgpu*'):
                yield f'{module.name}/{source.name}', source.read_bytes()

    def compile_modules(self):
        """What the guest of a test loads: never in the source, which stays clean."""
        modules = self.out / 'modules'
        modules.mkdir(exist_ok=True)
        changed = [write_if_changed(modules / name, data)
                   for name, data in self._module_sources()]
        stamp = modules / 'built-for'
        image = self.image_hash()
        if not any(changed) and stamp.exists() and stamp.read_text() == image:
            return
        with Step('compile the modules of the tests'):
            # there is no Module.symvers without building all of the kernel's own
            self.make('modules_prepare')
            self.make(f'M={modules.resolve()}', 'KBUILD_MODPOST_WARN=1', 'modules')
        write_if_changed(stamp, image.encode())

    def deliver(self):
        for name, path in ((self.image, self.image_path), ('config', '.config')):
            write_if_changed(self.out / name, (self.obj / path).read_bytes())
        link(self.out / 'vmlinux', self.obj / 'vmlinux')

    def build(self):
        self.unpack()
        link(self.top / 'source', self.pristine)
        if not self.stock:
            self.attach()
            link(self.top / 'tree', self.tree)
        self.obj.mkdir(exist_ok=True)
        self.out.mkdir(exist_ok=True)
        if not (self.obj / 'vmlinux').exists():
            need_space(self.obj, OBJ_DEBUG_GB if self.debug else OBJ_GB)
        self.log = self.out / 'build.log'
        self.log.write_text('')
        self.configure()
        self.compile(self.image, self.image_path)
        if self.amdgpu:
            self.compile_amdgpu()
        self.compile_modules()
        self.deliver()
        say(f'{os.path.relpath(self.out / self.image, REPO)} is ready')


def link(name, target):
    text = os.path.relpath(target, name.parent)
    if not (name.is_symlink() and os.readlink(name) == text):
        name.unlink(missing_ok=True)
        name.symlink_to(text)


def remove(path):
    """Away in one step, so that an interruption leaves no half of a tree."""
    doomed = path.with_name(path.name + '.doomed')
    for p in (doomed, path):
        if p.exists():
            if p != doomed:
                p.rename(doomed)
            with Step(f'remove {os.path.relpath(path, REPO)}'):
                shutil.rmtree(doomed)


def run_logged(cmd, log, on_line=None, env=None, append=False):
    """Run cmd with its output in log; its last lines are the error."""
    log = Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    tail, errors = [], []
    with open(log, 'a' if append else 'w', errors='replace') as out:
        # in a session of its own, to be able to end all of it
        p = subprocess.Popen(cmd, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True,
                             errors='replace', start_new_session=True)
        try:
            for line in p.stdout:
                out.write(line)
                tail = tail[-29:] + [line.rstrip()]
                if ERROR.search(line):
                    errors.append(line.rstrip())
                if on_line:
                    on_line(line)
            p.wait()
        except BaseException:
            os.killpg(p.pid, signal.SIGTERM)
            p.wait()
            raise
    if p.returncode:
        full = any('No space left on device' in li for li in tail)
        if not full:
            # with -j the error may be far above the end
            above = [li for li in errors if li not in tail][:10]
            print('\n'.join(above + tail), file=sys.stderr)
        raise Failure(('the disk is full; ' if full else
                       f'{Path(cmd[0]).name} failed; ') +
                      f'everything it said is in {log}')


def lock():
    BUILD.mkdir(exist_ok=True)
    f = open(BUILD / '.lock', 'a+')
    try:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        f.seek(0)
        say(f'kernel: waiting for another make (pid {f.read().strip()}) that '
            'is building here')
        fcntl.flock(f, fcntl.LOCK_EX)
    f.truncate(0)
    f.write(f'{os.getpid()}\n')
    f.flush()
    return f


def build():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kernel = Kernel()
    need_space(BUILD, 0.3)
    with lock():
        kernel.build()


if __name__ == '__main__':
    main('kernel', build)
