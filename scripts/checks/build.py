# SPDX-License-Identifier: GPL-2.0-only
"""Checks that compile, or read the code as a compiler does."""
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .bench import Missing, Plant, check, output, relative, tool

OURS_C = 'drivers/*.c'
PLANTED = 'drivers/gpu/drm/pm_virt/check_planted.c'
COMPLAINT = re.compile(r'[\w/.-]+:\d+(?::[\d-]+)?: ')


def _plant(expect, code):
    return Plant(PLANTED, expect,
                 append=f'// SPDX-License-Identifier: GPL-2.0\n{code}')


def _objects(names):
    return [str(Path(n).with_suffix('.o')) for n in names]


def _about(lines, names):
    """The complaints about these files; the kernel's own are its own"""
    return [li for li in lines
            if 'error: ' in li and not COMPLAINT.match(li) or
            COMPLAINT.match(li) and li.split(':')[0] in names]


def _sources(site):
    """Our C files that are compiled on this kernel, and of the existing ones
    those that the hooks change"""
    ours = site.files(OURS_C)
    if site.plant:
        return ours
    record = (site.tree.work / 'attached').read_text().split('\n')
    hooked = [n for n in record if n.endswith('.c') and n not in ours]
    return ours + hooked


def _without_the_kernels_own(complaints, site):
    """In files that the hooks change, the lines that were there before"""
    lines = {}      # of a file as it is, and as the kernel has it

    def ours(complaint):
        if not COMPLAINT.match(complaint):
            return True
        name, number, _ = complaint.split(':', 2)
        before = site.tree.source / name
        if not before.exists():
            return True
        if name not in lines:
            lines[name] = [path.read_text().split('\n')
                           for path in (site.tree.tree / name, before)]
        now, then = lines[name]
        return now[int(number) - 1] not in then
    return [complaint for complaint in complaints if ours(complaint)]


def _compile(site, *options):
    tree = site.tree.configure()
    with tree.spoilt(site):
        names = _sources(site)
        said = tree.compile(_objects(names), *options)
        said = relative(said, tree.tree.resolve(), '../tree')
        return len(names), _without_the_kernels_own(_about(said, names), site)


@check('w1', plants=[
    _plant('-Wmissing-prototypes', 'int planted(void)\n{\n\treturn 0;\n}\n'),
    _plant('-Wunused-but-set-variable',
           'void planted(void);\nvoid planted(void)\n{\n\tint set;\n\n'
           '\tset = 1;\n}\n'),
])
def w1(site):
    """compile with W=1: our files, and those that the hooks change"""
    return _compile(site, 'W=1')


@check('headers', plants=[
    Plant('drivers/gpu/drm/pm_virt/check_planted.h', 'planted_t',
          append='planted_t *planted(void);\n'),
    Plant('drivers/gpu/drm/pm_virt/check_planted.h', 'redefinition',
          append='struct planted { int i; };\n'),
])
def headers(site):
    """each header compiles on its own, and twice in one file"""
    tree = site.tree.configure()
    names = site.files('include/*.h', 'drivers/*.h')
    probes = {}
    for n, name in enumerate(names):
        path = Path(name)
        # include/ is not built; what is there is included in angle brackets
        where = path.parent if path.parts[0] == 'drivers' else \
            Path('drivers/gpu/drm/pm_virt')
        what = f'"{path.name}"' if path.parts[0] == 'drivers' else \
            f'<{path.relative_to("include")}>'
        probes[f'{where}/check_planted_{n}.c'] = f'#include {what}\n' * 2
    with tree.spoilt(site), tree.holding(probes):
        said = tree.compile(_objects(probes), 'W=1')
    said = relative(said, tree.tree.resolve(), '../tree')
    return len(names), _about(said, [*names, *probes])


ADDRESS_SPACE = '''#include <linux/compiler.h>
int planted(const int __user *p);
int planted(const int __user *p)
{
	return *p;
}
'''


def _checker(site, name):
    """From 7.2 on kbuild asks a checker what it understands; one that is too
    old it leaves out, with a warning that nobody reads."""
    path = tool(name)
    judge = site.tree.source / 'scripts/checker-valid.sh'
    if judge.exists() and output(['sh', judge, path, '-m64'], site.root) != ['1']:
        raise Missing(f'{path} is too old for {site.tree.name}')
    return path


@check('sparse', plants=[_plant('dereference of noderef', ADDRESS_SPACE)])
def sparse(site):
    """sparse: address spaces, endianness, locks"""
    return _compile(site, 'C=2', f'CHECK={_checker(site, "sparse")}',
                    'CF=-D__CHECK_ENDIAN__')


NULL_DEREF = '''#include <linux/slab.h>
int planted(int **p);
int planted(int **p)
{
	int *q = NULL;

	if (!*p)
		return *q;
	return 0;
}
'''


@check('smatch', plants=[_plant('error:', NULL_DEREF)])
def smatch(site):
    """smatch, which Debian has no package of: put it on the PATH"""
    return _compile(site, 'C=2', f'CHECK={_checker(site, "smatch")} -p=kernel')


USE_AFTER_FREE = '''#include <linux/slab.h>
void planted(int *p);
void planted(int *p)
{
	kfree(p);
	*p = 1;
}
'''
# What reports on whole trees or on things that our files have none of is left
# out: a rule takes a second or more.
COCCI_RULES = ('api/*.cocci', 'free/*.cocci', 'iterators/*.cocci',
               'locks/*.cocci', 'misc/*.cocci', 'null/*.cocci')
REPORT = re.compile(r'^virtual.*\breport\b', re.M)
OPTIONS = re.compile(r'^//+[ \t]*Options:[ \t]*(.*)$', re.M)


def _run_rule(rule, files, tree):
    text = rule.read_text()
    options = (OPTIONS.search(text) or ['', ''])[1].split()
    # deref_null.cocci recurses deeper than the usual 8 MiB of stack over a long function
    cmd = ['prlimit', '--stack=unlimited', tool('spatch'), '-D', 'report',
           '--very-quiet', '--no-show-diff', '--sp-file', rule, *options, *files]
    return [f'{rule.name}: {li}' if 'Fatal error' in li else li
            for li in output(cmd, tree)
            if COMPLAINT.match(li) or 'Fatal error' in li]


@check('coccicheck', plants=[_plant('preceded by free', USE_AFTER_FREE)])
def coccicheck(site):
    """the kernel's own semantic checks, with Coccinelle"""
    tool('spatch')
    tree = site.tree.attach()
    rules = sorted(r for pattern in COCCI_RULES for r in
                   (tree.source / 'scripts/coccinelle').glob(pattern)
                   if REPORT.search(r.read_text(errors='replace')))
    if site.plant:
        rules = [r for r in rules if r.parent.name == 'free']
    with tree.spoilt(site):
        files = site.files(OURS_C)
        with ThreadPoolExecutor(2) as pool:
            said = pool.map(lambda rule: _run_rule(rule, files, tree.tree), rules)
            return len(rules), [line for lines in said for line in lines]
