# SPDX-License-Identifier: GPL-2.0-only
"""What the build scripts share: paths, messages, hashes, the kernel table."""
import errno
import hashlib
import os
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
BUILD = REPO / 'build'
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or
             Path.home() / '.cache') / 'drm_virt_pm'


class Failure(Exception):
    """Something the user has to know, in one line."""


def say(text):
    print(text, flush=True)


def main(name, function):
    """Run function; report what can go wrong as one line."""
    try:
        sys.exit(function())
    except Failure as e:
        sys.exit(f'{name}: {e}')
    except KeyboardInterrupt:
        print(f'\n{name}: interrupted; nothing is left half-done, '
              'the same command continues', file=sys.stderr)
        sys.exit(130)
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            sys.exit(f'{name}: the disk is full'
                     f' ({e.filename or "while writing"})')
        sys.exit(f'{name}: {e}')


def human(seconds):
    s = int(seconds + 0.5)
    return f'{s // 60} min {s % 60:02d} s' if s >= 60 else f'{s} s'


class Step:
    """A long step: what, how far, how long. Redrawn in place on a terminal,
    a line every ten seconds elsewhere."""

    def __init__(self, what):
        self.what = what
        self.start = time.monotonic()
        self.tty = sys.stdout.isatty()
        self.last = self.start if not self.tty else 0
        self.width = 0

    def __enter__(self):
        if not self.tty:
            say(f'{self.what} ...')
        self.progress('...')
        return self

    def progress(self, text):
        now = time.monotonic()
        if now - self.last < (0.2 if self.tty else 10):
            return
        self.last = now
        line = f'{self.what}: {text}  [{human(now - self.start)}]'
        if self.tty:
            print('\r' + line.ljust(self.width), end='', flush=True)
            self.width = len(line)
        else:
            say('  ' + line)

    def __exit__(self, kind, value, trace):
        took = human(time.monotonic() - self.start)
        end = 'done' if kind is None else 'stopped'
        line = f'{self.what}: {end} in {took}'
        say('\r' + line.ljust(self.width) if self.tty else line)


def sha256(path):
    with open(path, 'rb') as f:
        return hashlib.file_digest(f, 'sha256').hexdigest() \
            if hasattr(hashlib, 'file_digest') else _sha256(f)


def _sha256(f):
    h = hashlib.sha256()
    while block := f.read(1 << 20):
        h.update(block)
    return h.hexdigest()


def write_if_changed(path, data, mode=None):
    """Replace path by data in one step; leave it (and its time) alone if it
    holds data already. Returns whether it was written."""
    path = Path(path)
    try:
        if not path.is_symlink() and path.read_bytes() == data:
            return False
    except (FileNotFoundError, NotADirectoryError):
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f'.{path.name}.new')
    try:
        temp.unlink(missing_ok=True)
        temp.write_bytes(data)
        if mode is not None:
            temp.chmod(mode)
        temp.replace(path)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    return True


def need_space(path, gigabytes):
    path = Path(path)
    while not path.exists():
        path = path.parent
    v = os.statvfs(path)
    free = v.f_bavail * v.f_frsize / 1e9
    if free < gigabytes:
        raise Failure(f'needs about {gigabytes:.1f} GB in {path}, '
                      f'which has {free:.1f} GB')


def kernels():
    """name -> (package, [suites])"""
    table = {}
    for line in (REPO / 'kernels/table').read_text().splitlines():
        if line.strip() and not line.startswith('#'):
            name, package, suites = line.split(None, 3)[:3]
            table[name] = (package, suites.split(','))
    return table
