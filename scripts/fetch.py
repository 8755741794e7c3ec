# SPDX-License-Identifier: GPL-2.0-only
"""Fetches a Debian package into the cache with a private apt: nothing of the
system's own apt is changed, and its mirror, proxy and keys are used."""
import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from common import CACHE, Failure, Step, need_space, say, sha256

SUITE = re.compile(r'(bookworm|trixie|forky|sid|(old)*stable|testing|unstable|'
                   r'experimental)(-updates|-backports|-security|/updates)?')


def _sources():
    """(URI, suites, keyring or None) of the machine's own apt sources"""
    top = Path('/etc/apt')
    parts = top / 'sources.list.d'
    for path in sorted(parts.glob('*.sources')) if parts.is_dir() else []:
        for stanza in re.split(r'\n\s*\n', path.read_text(errors='replace')):
            f, key = {}, None
            for line in stanza.splitlines():
                if line.startswith('#'):
                    continue
                if line[:1].isspace() and key:
                    f[key] += ' ' + line.strip()
                elif ':' in line:
                    key, value = line.split(':', 1)
                    key = key.lower()
                    f[key] = value.strip()
            if f.get('enabled', 'yes').lower() == 'no':
                continue
            if 'deb' not in f.get('types', '').split():
                continue
            for uri in f.get('uris', '').split():
                yield uri, f.get('suites', '').split(), f.get('signed-by')
    lists = [top / 'sources.list']
    lists += sorted(parts.glob('*.list')) if parts.is_dir() else []
    for path in lists:
        if not path.exists():
            continue
        for line in path.read_text(errors='replace').splitlines():
            m = re.match(r'\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s', line)
            if m:
                signed = re.search(r'signed-by=(\S+)', m[1] or '')
                yield m[2], [m[3]], signed and signed[1]


def _mirror(security):
    """The machine's own Debian mirror, and its keyring"""
    found = None
    for uri, suites, keyring in _sources():
        suites = [s for s in suites if SUITE.fullmatch(s)]
        if not suites:
            continue
        is_security = any('security' in s or s.endswith('/updates')
                          for s in suites)
        if is_security == security:
            return uri, keyring
        if not is_security:
            found = found or (uri, keyring)
    if security and found:
        return found[0].rstrip('/') + '-security', found[1]
    raise Failure('no Debian mirror in /etc/apt to fetch the kernel from')


class _Apt:
    """A private apt that knows one suite"""

    def __init__(self, suite):
        root = self.root = CACHE / 'apt' / suite
        for d in ('lists/partial', 'archives/partial'):
            (root / d).mkdir(parents=True, exist_ok=True)
        uri, keyring = _mirror('security' in suite)
        if keyring and not keyring.startswith('/'):
            keyring = None      # a key inline in the source: for that suite
        keyring = keyring or '/usr/share/keyrings/debian-archive-keyring.gpg'
        (root / 'sources.list').write_text(
            f'deb [signed-by={keyring}] {uri} {suite} main\n')
        (root / 'status').write_text('')
        # Read before the system's apt.conf.d, which may know a proxy.
        (root / 'apt.conf').write_text(f'''
Dir::State "{root}";
Dir::State::status "{root}/status";
Dir::State::lists "{root}/lists";
Dir::Cache "{root}";
Dir::Cache::archives "{root}/archives";
Dir::Etc::sourcelist "{root}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Acquire::Retries "2";
''')
        # update's hooks are about the system's own lists
        self.env = dict(os.environ, APT_CONFIG=str(root / 'apt.conf'),
                        LC_ALL='C')

    def run(self, *args, cwd=None):
        r = subprocess.run(args, env=self.env, cwd=cwd, text=True,
                           stdin=subprocess.DEVNULL, capture_output=True)
        errors = [li for li in (r.stderr + r.stdout).splitlines()
                  if li.startswith(('E:', 'W:'))]
        return r.returncode, r.stdout, (errors or [''])[0]

    def find(self, package):
        """(version, SHA256, size) of the newest, or why there is none"""
        rc, _, why = self.run('apt-get', '-q', 'update', '-o',
                              'APT::Update::Error-Mode=any', '-o',
                              'APT::Update::Post-Invoke-Success::=true')
        if rc:
            return None, why
        rc, out, _ = self.run('apt-cache', 'show', '--no-all-versions',
                              package)
        f = dict(re.findall(r'^(Version|SHA256|Size): (.*)$', out, re.M))
        if rc or len(f) != 3:
            return None, 'not there'
        return (f['Version'], f['SHA256'], int(f['Size'])), None


def _verified(path):
    """Does the cached package match the checksum kept beside it?"""
    record = path.with_name(path.name + '.sha256')
    return (path.exists() and record.exists() and
            record.read_text().split()[:1] == [sha256(path)])


def _cached(package):
    """The newest verified package in the cache"""
    for path in sorted(CACHE.glob(f'debs/{package}_*.deb'),
                       key=lambda p: p.stat().st_mtime, reverse=True):
        if _verified(path):
            return path
        say(f'fetch: {path.name} in the cache is damaged: fetching it again')
        path.unlink()
    return None


def fetch(package, suites, refresh=False):
    """Path of a verified package in the cache. The network is asked when the
    cache has none, or refresh wants to see whether there is a newer one."""
    (CACHE / 'debs').mkdir(parents=True, exist_ok=True)
    with open(CACHE / 'lock', 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f'fetch: waiting for another make that is using {CACHE}')
            fcntl.flock(lock, fcntl.LOCK_EX)
        cached = _cached(package)
        if cached and not refresh:
            return cached
        try:
            return _download(package, suites)
        except Failure as e:
            if not cached:
                raise
            say(f'fetch: {e}; using the cache')
            return cached


def _download(package, suites):
    reasons = []
    for suite in suites:
        with Step(f'fetch: package lists of {suite}'):
            apt = _Apt(suite)
            found, why = apt.find(package)
        if found:
            break
        reasons.append(f'{suite}: {why}')
    else:
        raise Failure(f'cannot fetch {package} ({"; ".join(reasons)})')
    version, digest, size = found
    path = CACHE / 'debs' / f'{package}_{version.replace(":", "%3a")}_all.deb'
    if _verified(path):
        return path
    need_space(CACHE, size / 1e9 + 0.1)
    partial = CACHE / 'debs' / 'partial'
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    with Step(f'fetch: {package} {version} from {suite}, '
              f'{size >> 20} MB') as step:
        p = subprocess.Popen(['apt-get', '-q', 'download',
                              f'{package}={version}'], cwd=partial,
                             env=apt.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        try:
            while True:
                try:
                    out, _ = p.communicate(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    have = sum(f.stat().st_size for f in partial.iterdir())
                    step.progress(f'{have >> 20} of {size >> 20} MB')
        except BaseException:
            p.kill()
            raise
        if p.returncode:
            errors = [li for li in out.splitlines() if li.startswith('E:')]
            raise Failure(f'cannot fetch {package}: {(errors or [out])[0]}')
    debs = list(partial.glob('*.deb'))
    if len(debs) != 1 or sha256(debs[0]) != digest:
        raise Failure(f'{package} {version} does not have the SHA256 that '
                      'apt knows')
    path.with_name(path.name + '.sha256').write_text(
        f'{digest}  {path.name}\n')
    debs[0].replace(path)
    shutil.rmtree(partial)
    return path
