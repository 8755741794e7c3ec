# SPDX-License-Identifier: GPL-2.0-only
"""A Debian in a directory, made by mmdebstrap and kept in the cache.

Nothing of it is installed here. Only root can make it, or change into it.
"""
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from common import CACHE, Failure, Step, need_space, say    # noqa: E402
from fetch import _mirror                                   # noqa: E402
from kernel import flag, run_logged                         # noqa: E402

SUITE = 'trixie'
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
STAGE = re.compile(r'^I: (.*?)(?:\.\.\.)?$')
GIGABYTES = 4.0
_made = set()           # by this run


def sources(suite=SUITE):
    """apt's, of the machine's own mirror"""
    main, _ = _mirror(False)
    security, _ = _mirror(True)
    signed = f'[signed-by={KEYRING}]'
    only = [f'deb {signed} {main} {suite} main']
    if suite != SUITE:                  # one that was not released has no others
        return only
    return [*only, f'deb {signed} {security} {suite}-security main',
            f'deb {signed} {main} {suite}-backports main']


def _keeps_old_lists():
    """Whether the machine's own apt takes lists of a mirror that is a copy of then."""
    r = subprocess.run(['apt-config', 'dump', '--format', '%v', 'Acquire::Check-Valid-Until'],
                       capture_output=True, text=True)
    return r.stdout.strip() == 'false'


def missing():
    """Why this machine cannot make one, or nothing"""
    if os.geteuid():
        return 'only root can make a Debian in a directory'
    return '' if shutil.which('mmdebstrap') else 'mmdebstrap is not installed'


def make(name, packages, script='', suite=SUITE):
    """Path of a directory with the packages, in which the script was run. A recipe
    that was changed makes another, and so does REFRESH=1."""
    if why := missing():
        raise Failure(why)
    recipe = '\n'.join([suite, *sorted(packages), script])
    top = CACHE / 'rootfs'
    top.mkdir(parents=True, exist_ok=True)
    path = top / f'{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}'
    with open(top / f'.{name}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and (path in _made or not flag('REFRESH')):
            return path
        need_space(CACHE, GIGABYTES)
        new = top / f'.{name}.new'
        _remove(new)
        with Step(f'Debian {suite} for {name}') as step:
            run_logged(_command(new, packages, script, suite), top / f'{name}.log',
                       lambda line: (m := STAGE.match(line)) and
                       step.progress(m[1]))
        for old in top.glob(f'{name}-*'):
            _remove(old)
        new.rename(path)
        _made.add(path)
    return path


def _command(directory, packages, script, suite):
    command = ['mmdebstrap', '--mode=root', '--variant=minbase',
               '--aptopt=Acquire::Languages "none"',
               '--aptopt=Acquire::Retries "2"',
               f'--include={",".join(packages)}']
    if _keeps_old_lists():
        command.append('--aptopt=Acquire::Check-Valid-Until "false"')
    if script:
        command.append(f'--customize-hook=chroot "$1" sh -euc {_quoted(script)}')
    return command + [suite, str(directory), *sources(suite)]


def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def _remove(path):
    """Not what is mounted in it"""
    if path.exists():
        subprocess.run(['rm', '-rf', '--one-file-system', path], check=True)


@contextlib.contextmanager
def scratch(base):
    """Mounts a directory that shows base, and forgets what is written into it."""
    with tempfile.TemporaryDirectory(prefix='rootfs-') as directory:
        top = Path(directory)
        for name in ('upper', 'work', 'root'):
            (top / name).mkdir()
        root = top / 'root'
        # the temporary directory may be on an overlay itself, which cannot be one's upper
        mount('tmpfs', 'tmpfs', top, 'size=4g')
        try:
            for name in ('upper', 'work', 'root'):
                (top / name).mkdir()
            mount('overlay', 'overlay', root, f'lowerdir={base},upperdir={top}/upper,'
                  f'workdir={top}/work')
            try:
                yield root
            finally:
                umount(root)
        finally:
            umount(top)


@contextlib.contextmanager
def proc(root):
    mount('proc', 'proc', root / 'proc')
    try:
        yield
    finally:
        umount(root / 'proc')


def mount(kind, source, where, options=''):
    r = subprocess.run(['mount', '-t', kind, *(['-o', options] if options else []),
                        source, where], capture_output=True, text=True)
    if r.returncode:
        raise Failure(f'cannot mount {kind}: {r.stderr.strip()}')


def bind(source, where):
    mount('none', source, where, 'bind')


def umount(where):
    r = subprocess.run(['umount', where], capture_output=True, text=True)
    if r.returncode:
        say(f'rootfs: {r.stderr.strip()}')
        subprocess.run(['umount', '-l', where], check=False)


def run_in(root, *command, log=None, on_line=None):
    """In a root directory, with nothing of the caller's environment"""
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C', 'HOME': '/root',
           'DEBIAN_FRONTEND': 'noninteractive'}
    command = ['chroot', str(root), *command]
    if log:
        return run_logged(command, log, on_line, env=env, append=True)
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
