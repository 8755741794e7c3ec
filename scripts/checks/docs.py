# SPDX-License-Identifier: GPL-2.0-only
"""The page of the kernel's documentation, built as the kernel builds it."""
import os
import shutil

from .bench import Plant, check, output, relative, tool

PAGE = 'gpu/drm-virt-pm'
MAIN = f'Documentation/{PAGE}.rst'
INDEX = 'Documentation/gpu/index.rst'
# What Sphinx says of the machine rather than of a page
HARMLESS = ('Using alabaster theme', 'dot(1) not found', 'convert(1) not found')


def _build(tree):
    """Ours only: all of gpu/ takes minutes."""
    source = tree.tree.resolve()
    out = tree.top.resolve() / 'docs'
    # its cache does not know of everything that a page is made from
    shutil.rmtree(out, ignore_errors=True)
    env = dict(os.environ, srctree=str(source), BUILDDIR=str(out),
               SPHINX_CONF='', LC_ALL='C.UTF-8', PYTHONDONTWRITEBYTECODE='1')
    return output([tool('sphinx-build'), '-q', '-b', 'html',
                   '-c', source / 'Documentation', '-d', out / 'doctrees',
                   '-D', f'version={tree.name}', '-D', 'release=',
                   '-D', f'kerneldoc_srctree={source}',
                   '-D', f'kerneldoc_bin={source}/scripts/kernel-doc',
                   '-D', f'master_doc={PAGE}',
                   '-D', f'include_patterns={PAGE}.rst',
                   source / 'Documentation', out / 'html'], source, env)


@check('docs', plants=[
    Plant(MAIN, 'planted', append='\n.. kernel-doc:: drivers/gpu/drm/planted.c\n'),
    Plant(MAIN, 'Inline literal', append='\n``planted\n'),
    Plant('drivers/gpu/drm/pm_virt/tests/drm_virt_pm_example.c', 'start-after',
          swap=('/* adopt: order */', '/* planted */')),
    Plant('include/drm/drm_virt_pm.h', 'planted',
          append='\n/**\n * planted - bad\n * @a: not there\n */\nvoid planted(int b);\n'),
])
def docs(site):
    """Sphinx on our page, without a warning"""
    tool('sphinx-build')
    tree = site.tree.attach()
    with tree.spoilt(site):
        said = _build(tree)
    pages = site.all('Documentation/gpu/*.rst')
    if (tree.top / 'docs/html/gpu/drm-virt-pm.html').exists():
        bad = []
    else:
        bad = ['no page was built']
    if not any(line.strip() == 'drm-virt-pm'
               for line in (tree.tree / INDEX).read_text().splitlines()):
        bad.append(f'{INDEX} does not list {PAGE}')
    said = relative(said, tree.tree.resolve())
    return len(pages), bad + [li for li in said
                              if li and not any(h in li for h in HARMLESS)]
