# SPDX-License-Identifier: GPL-2.0-only
"""The guest's only file system: one static program, written as a newc archive."""

import gzip
import hashlib
import os
import stat
import subprocess
import tempfile
from pathlib import Path

from verdict import Unusable

USELESS = ('./dev/*', './usr/share/doc', './usr/share/man', './usr/share/locale',
           './usr/share/i18n', './var/cache', './var/lib/apt', './var/lib/dpkg')
CFLAGS = ('-static', '-O2', '-Wall', '-Wextra', '-Werror', '-std=gnu11', '-pthread')


def _entry(number, name, mode, data=b'', device=(0, 0)):
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields)
    head += name.encode() + b'\0'
    return head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4)


def archive(files):
    """A cpio archive of @files (name: bytes), all of them executable."""
    entries = [('dev', stat.S_IFDIR | 0o755, b'', (0, 0)),
               # the kernel opens it for init before anything is mounted
               ('dev/console', stat.S_IFCHR | 0o600, b'', (5, 1))]
    entries += [(name, stat.S_IFREG | 0o755, data, (0, 0))
                for name, data in files.items()]
    entries.append(('TRAILER!!!', 0, b'', (0, 0)))
    return b''.join(_entry(i, name, mode, data, device)
                    for i, (name, mode, data, device) in enumerate(entries, 1))


def drm_headers(build):
    """The kernel's own uapi headers; Debian's linux-libc-dev leaves drm/ out."""
    places = sorted(build.glob('work/*/tree/include/uapi'))
    places += [build.parent.parent / 'include/uapi']
    for place in places:
        if (place / 'drm/virtgpu_drm.h').exists():
            return place
    for place in ('/usr/include', '/usr/include/libdrm'):
        if os.path.exists(f'{place}/drm/virtgpu_drm.h'):
            return place
    raise Unusable(f'no DRM headers under {build}/work: build the kernel first (make kernel)')


def _write_if_whole(path, data):
    """All of the file or nothing, also when the disk is full or another runs too."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as new:
        try:
            new.write(data)
            new.flush()
            os.chmod(new.name, 0o644)
            os.replace(new.name, path)
        except BaseException:
            os.unlink(new.name)
            raise


def _digest(sources, *extra):
    digest = hashlib.sha256(repr((CFLAGS, *(str(e) for e in extra))).encode())
    for source in sources:
        digest.update(source.name.encode() + b'\0' + source.read_bytes())
    return digest.hexdigest()


def _compile(sources, headers, build, cross):
    with tempfile.TemporaryDirectory(dir=build) as directory:
        program = os.path.join(directory, 'agent')
        # a cross compiler's libc brings older ones, and comes first
        os.symlink(headers / 'drm', os.path.join(directory, 'drm'))
        command = [f'{cross}gcc', *CFLAGS, '-D__user=', '-I', directory, '-idirafter', str(headers),
                   *(str(s) for s in sources if s.suffix == '.c'), '-o', program]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise Unusable(f'no {cross}gcc: make packages') from error
        if done.returncode:
            raise Unusable(f'tests/guest does not compile:\n{done.stderr.strip()}')
        with open(program, 'rb') as file:
            return file.read()


def build_initramfs(guest, build, out, cross=''):
    """Makes @out/initramfs.gz if something that goes into it changed."""
    sources = sorted(guest.glob('*.[ch]'))
    headers = drm_headers(build)
    wanted = _digest(sources, headers, cross)
    image, stamp = out / 'initramfs.gz', out / 'initramfs.stamp'
    if image.exists() and stamp.exists() and stamp.read_text() == wanted:
        return image
    program = _compile(sources, headers, build, cross)
    _write_if_whole(image, gzip.compress(archive({'init': program}), 6))
    _write_if_whole(stamp, wanted.encode())
    return image


def of_directory(root, path, files):
    """All of the Debian in @root but what no guest reads, with more @files."""
    useless = ' -o '.join(f"-path '{name}'" for name in USELESS)
    with open(path, 'wb') as out:
        subprocess.run(['sh', '-c', f'find . -xdev \\( {useless} \\) -prune -o -print0 | '
                        'cpio -0 -o -H newc --quiet'], cwd=root, stdout=out, check=True)
        out.write(archive(files))
    return path


def with_files(image, path, files):
    """A copy of @image with more @files: the kernel takes archives in a row."""
    _write_if_whole(path, image.read_bytes() + gzip.compress(archive(files), 6))
    return path


def with_tree(image, path, files):
    """The same for @files in directories, not compressed."""
    # newc needs each directory before what is in it
    parents = dict.fromkeys(str(parent) for name in files
                            for parent in reversed(Path(name).parents[:-1]))
    tree = b''.join(_entry(1000 + i, name, stat.S_IFDIR | 0o755)
                    for i, name in enumerate(parents))
    data = image.read_bytes()
    # an archive that is not compressed begins at a multiple of 4
    _write_if_whole(path, data + b'\0' * (-len(data) % 4) + tree +
                    _entry(0, 'TRAILER!!!', 0) + archive(files))
    return path
