# SPDX-License-Identifier: GPL-2.0-only
"""Checks of single files: checkers of the kernel's, and Debian's linters."""
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .bench import Plant, check, output, relative, tool

KERNEL_C = ('drivers/*.[ch]', 'include/*.[ch]')
KERNEL = KERNEL_C + ('drivers/*Kconfig', 'drivers/*Makefile', 'Documentation/*')
USER_C = ('tests/*.[ch]',)
# User space has no u32, BIT() or __packed; device memory is volatile there too;
# and JSON is a long string.
USER_SPACE = ('PREFER_KERNEL_TYPES,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO,'
              'VOLATILE,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,'
              'SPLIT_STRING,EMBEDDED_FUNCTION_NAME')
# There is a check of the first below; of the second only 7.2 and later know, and
# one source serves all kernels. Names of registers are amdgpu's.
NOT_THEIRS = 'SPDX_LICENSE_TAG,ALLOC_WITH_SIZEOF,CAMELCASE'
OBJECT = 'drivers/gpu/drm/pm_virt/drm_virt_pm_object.c'
HEADER = 'include/drm/drm_virt_pm.h'


def _checkpatch(site, names, ignore):
    """One process for each file is slow, one for all uses one processor."""
    jobs = len(os.sched_getaffinity(0))
    cmd = ['perl', site.tree.source / 'scripts/checkpatch.pl', '--strict',
           f'--root={site.tree.source}', '--terse', '--show-types',
           '--no-summary', f'--ignore={ignore}', '-f']
    # in a git repository it calls spdxcheck.py, which needs a Python module
    env = dict(os.environ, GIT_DIR='/dev/null/none')
    with ThreadPoolExecutor(jobs) as pool:
        said = pool.map(lambda part: output(cmd + part, site.root, env)
                        if part else [],
                        [names[i::jobs] for i in range(jobs)])
        return [line for lines in said for line in lines]


@check('checkpatch', quick=True, plants=[
    Plant(OBJECT, 'TRAILING_WHITESPACE', append='static int planted; \n'),
    Plant(OBJECT, 'PARENTHESIS_ALIGNMENT',
          append='\nint planted(int a,\n    int b)\n{\n\treturn a + b;\n}\n'),
    Plant('tests/guest/init.c', 'CODE_INDENT',
          append='\nint planted(void)\n{\n        return 0;\n}\n'),
])
def checkpatch(site):
    """the kernel's checkpatch.pl --strict"""
    kernel, user = site.files(*KERNEL), site.files(*USER_C)
    said = _checkpatch(site, kernel, NOT_THEIRS) + \
        _checkpatch(site, user, f'{NOT_THEIRS},{USER_SPACE}')
    return len(kernel) + len(user), [li for li in said if li]


# The name and text of each kernel-doc comment, and each exported function.
DOCUMENTED = re.compile(r'^/\*\*\n \* (\w+)(?:\(\))? - (.*?)\*/', re.M | re.S)
EXPORTED = re.compile(r'^EXPORT_SYMBOL(?:_GPL)?\((\w+)\);', re.M)


def _undocumented(name, text):
    """What the kernel's tool does not ask for: that it is there at all, and
    says where it may be called."""
    docs = dict(DOCUMENTED.findall(text))
    for symbol in EXPORTED.findall(text):
        if symbol.startswith('__'):     # of an inline function in the header
            continue
        if symbol not in docs:
            yield f'{name}: {symbol}() is exported, but not documented'
        elif ' * Context:' not in docs[symbol]:
            yield f'{name}: {symbol}(): nothing about its context'


@check('kernel-doc', quick=True, plants=[
    Plant(HEADER, "'planted'",
          swap=('\nstruct drm_virt_pm_object {\n',
                '\nstruct drm_virt_pm_object {\n\tint planted;\n')),
    Plant(OBJECT, 'return value', swap=(' * Return: 0, or', ' * 0, or')),
    Plant(OBJECT, 'is exported, but not documented',
          append='\nvoid planted(void)\n{\n}\nEXPORT_SYMBOL(planted);\n'),
    Plant(OBJECT, 'nothing about its context',
          swap=(' * Context: Any context.\n */\nvoid drm_virt_pm_object_init',
                ' */\nvoid drm_virt_pm_object_init')),
])
def kernel_doc(site):
    """the kernel's kernel-doc -Wall -Werror, and that nothing is undocumented"""
    names = site.files(*KERNEL_C)
    said = output([site.tree.source / 'scripts/kernel-doc', '-none', '-Wall',
                   '-Werror', *names], site.root)
    for name in names:
        said += _undocumented(name, site.read(name))
    return len(names), said


def _scripts(site, interpreter, *patterns):
    """By their names, and those without a suffix by their first line"""
    named = site.files(*patterns)
    plain = [n for n in site.files('scripts/*', 'tests/*', '.ci/*')
             if not Path(n).suffix and
             re.match(rf'#!.*\b{interpreter}', site.read(n)[:80])]
    return sorted({*named, *plain})


@check('shellcheck', quick=True, plants=[
    Plant('scripts/need-packages', 'SC2086', append='rm $log\n')])
def shellcheck(site):
    """shellcheck on shell scripts"""
    names = _scripts(site, '(?:ba)?sh', '*.sh')
    return len(names), output([tool('shellcheck'), '-f', 'gcc', *names],
                              site.root)


@check('python', quick=True, plants=[
    Plant('scripts/common.py', 'undefined name', append='planted()\n'),
    Plant('scripts/attach', 'imported but unused', append='import planted\n'),
])
def python(site):
    """pyflakes on Python scripts"""
    names = _scripts(site, 'python3', '*.py')
    said = output([tool('pyflakes3'), *names], site.root)
    # it knows no "noqa", which we keep for what only has to be imported
    return len(names), [li for li in relative(said, site.root)
                        if not _excused(site, li)]


def _excused(site, line):
    m = re.match(r'([^:]+):(\d+):', line)
    text = site.read(m[1]).splitlines()[int(m[2]) - 1] if m else ''
    return re.search(r'# noqa: .*F401', text) and 'imported but unused' in line


# COPYING says which licence is where, and which files cannot carry a line.
NO_SPDX = ('COPYING', 'LICENSES/*', 'MAINTAINERS', '*README.md',
           'packaging/debian/copyright')
BOTH = r'(?:GPL-2\.0 OR MIT|\(GPL-2\.0 OR MIT\))'
LICENCES = ((('drivers/*', 'include/*', 'Documentation/*', 'doc/*'), BOTH),
            (('*',), r'GPL-2\.0-only'))
COMMENT = {'.c': r'// {}', '.h': r'/\* {} \*/', '.rst': r'\.\. {}',
           '.md': r'<!-- {} -->', '.cocci': r'// {}|/\* {} \*/',
           '.8': r'\.\\" {}'}


@check('spdx', quick=True, plants=[
    Plant('scripts/common.py', 'no SPDX line',
          swap=('# SPDX-License-Identifier: GPL-2.0-only\n', '')),
    Plant(OBJECT, 'no SPDX line', swap=('GPL-2.0 OR MIT', 'GPL-2.0-only')),
    Plant('drivers/gpu/drm/pm_virt/check_planted.c', 'no SPDX line',
          append='int planted;\n'),
])
def spdx(site):
    """the SPDX line of each file, with the licence that COPYING names"""
    bad = []
    exempt = set(site.all(*NO_SPDX))
    names = [n for n in site.files('*') if n not in exempt]
    for name in names:
        licence = next(text for patterns, text in LICENCES
                       if name in site.all(*patterns))
        line = f'SPDX-License-Identifier: {licence}'
        comment = COMMENT.get(Path(name).suffix, '# {}').replace('{}', line)
        head = site.read(name).split('\n')[:2]
        if not any(re.fullmatch(comment, text) for text in head):
            bad.append(f'{name}: no SPDX line as this one is: '
                       f'{comment}'.replace('\\', ''))
    return len(names), bad
