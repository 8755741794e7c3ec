# SPDX-License-Identifier: GPL-2.0-only
"""Configures a kernel from tinyconfig and fragments, and verifies that every
option asked for is there: kconfig itself drops them silently."""
import hashlib
import re
import subprocess
from pathlib import Path

from common import Failure, write_if_changed

LINE = re.compile(r'(CONFIG_\w+)=(.*)|# (CONFIG_\w+) is not set')
WHERE_KNOWN = '#@ where known'


def _parse(path):
    """(option, value or None for not set, only where the tree has it)"""
    optional = False
    for n, line in enumerate(path.read_text().splitlines(), 1):
        m = LINE.fullmatch(line)
        if m:
            yield m[1] or m[3], m[2], optional
        elif line == WHERE_KNOWN:
            optional = True
        elif line.startswith('#@') or line and not line.startswith('#'):
            raise Failure(f'{path}:{n}: what is {line!r}?')


def _key(parts):
    key = hashlib.sha256()
    for part in parts:
        key.update(hashlib.sha256(part).digest())
    return key.hexdigest()


def configure(tree, obj, fragments, make, hopes=()):
    """Writes obj/.config; make(target, extra_env=env) runs the kernel's make.
    What the fragments in hopes ask for need not be possible yet."""
    kconfigs = sorted(p for p in Path(tree).rglob('Kconfig*')
                      if p.is_file())
    texts = [p.read_bytes() for p in kconfigs]
    # everything that the result depends on, and the result
    parts = [f.read_bytes() for f in [*fragments, *hopes]] + texts + [
        subprocess.run(['gcc', '--version'], capture_output=True).stdout,
        Path(__file__).read_bytes()]
    config, stamp = obj / '.config', obj / '.config.key'
    if config.exists() and stamp.exists() and \
            stamp.read_text() == _key(parts + [config.read_bytes()]):
        return
    symbols = set(re.findall(r'^\s*(?:menu)?config\s+(\w+)',
                             b'\n'.join(texts).decode(), re.M))

    wanted = {}
    for fragment in [*fragments, *hopes]:
        for option, value, optional in _parse(fragment):
            known = option.removeprefix('CONFIG_') in symbols
            if fragment in hopes:
                optional = True
            if not known and value is not None and not optional:
                raise Failure(f'{fragment.name} asks for {option}, which '
                              'this kernel does not know')
            if known:
                wanted[option] = (value, fragment)

    new = obj / '.config.new'
    env = {'KCONFIG_CONFIG': str(new)}
    new.unlink(missing_ok=True)
    make('tinyconfig', extra_env=env)
    # kconfig takes the last of two values, but warns: drop the first
    kept = [line for line in new.read_text().splitlines()
            if not ((m := LINE.fullmatch(line)) and (m[1] or m[3]) in wanted)]
    kept += [f'# {o} is not set' if v is None else f'{o}={v}'
             for o, (v, _) in wanted.items()]
    new.write_text('\n'.join(kept) + '\n')
    make('olddefconfig', extra_env=env)

    got = {m[1]: m[2] for line in new.read_text().splitlines()
           if (m := LINE.fullmatch(line)) and m[1]}
    for option, (value, fragment) in wanted.items():
        if got.get(option) != value and fragment not in hopes:
            raise Failure(
                f'{fragment.name} asks for {option}={value or "n"}, but kconfig made '
                f'it {got.get(option, "n")}: something it depends on is '
                'missing' + (' or something selects it' if not value else ''))
    data = new.read_bytes()
    new.unlink()
    new.with_name('.config.new.old').unlink(missing_ok=True)
    write_if_changed(config, data)
    stamp.write_text(_key(parts + [data]))
