# SPDX-License-Identifier: GPL-2.0-only
"""clean, distclean, cacheclean"""
import shutil
import sys

sys.dont_write_bytecode = True
from common import BUILD, CACHE, main, say      # noqa: E402
from kernel import lock                         # noqa: E402


def remove(*paths):
    for path in paths:
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            say(f'remove {path}')
            shutil.rmtree(path)


def clean():
    what = sys.argv[1]
    if what == 'cacheclean':
        remove(CACHE)
        return
    if not BUILD.exists():
        return
    with lock():
        if what == 'distclean':
            remove(*[p for p in BUILD.iterdir() if p.name != '.lock'])
            remove(BUILD)
            return
        remove(BUILD / 'deb', BUILD / 'distro', BUILD / 'models')
        for top in BUILD.iterdir():
            if not (top / 'work').is_dir():
                continue
            # The unpacked sources stay, and with them the hooked tree.
            remove(*top.glob('work/*/obj*'))
            remove(*[p for p in top.iterdir()
                     if p.name not in ('work', 'source', 'tree')])


if __name__ == '__main__':
    main('clean', clean)
