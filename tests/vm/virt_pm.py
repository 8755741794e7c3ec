# SPDX-License-Identifier: GPL-2.0-only
"""What the library says of one device in debugfs, dri/N/virt_pm."""

import dataclasses
import re

from verdict import Failure

_STATE = re.compile(r'running|down|lost \(.+\)')
_ANSWER = re.compile(r'possible|refused: (.+)')
_REFUSAL = re.compile(r'none|(none|suspend|hibernate): .+ \(-\d+\)')
_OBJECTS = re.compile(r'(\d+) tracked, (\d+) restored, (\d+) lost(?: \(last: \d+\))?')
_TRANSITION = re.compile(r'none|suspend|hibernate|restore')


@dataclasses.dataclass(frozen=True)
class Account:
    """The lines of the file. One that is missing or has another form is a failure."""

    state: str          # "running", "down", or "lost (REASON)"
    epoch: int          # resets, counted from 1
    suspend: str        # why it would be refused now, or None
    hibernate: str      # likewise
    refusal: str        # the last one, or "none"
    tracked: int        # objects
    restored: int       # how often one was restored
    lost: int
    failures: int       # to resume, since the last suspend
    transition: str
    virgl: tuple        # what the census of virgl contexts says, line by line
    contexts: str       # how many of these came back and were lost; empty if none can

    @classmethod
    def parse(cls, text):
        pairs = [line.partition(': ') for line in text.splitlines()]
        lines = {key.strip(): value.strip() for key, _, value in pairs}

        def value(key, pattern):
            found = re.fullmatch(pattern, lines.get(key, ''))
            if not found:
                raise Failure(f'virt_pm says "{key}: {lines[key]}"' if key in lines
                              else f'virt_pm says nothing of "{key}"')
            return found

        tracked, restored, lost = map(int, value('objects', _OBJECTS).groups())
        return cls(state=value('state', _STATE)[0],
                   epoch=int(value('epoch', r'\d+')[0]),
                   suspend=value('suspend', _ANSWER)[1],
                   hibernate=value('hibernate', _ANSWER)[1],
                   refusal=value('refusal', _REFUSAL)[0],
                   tracked=tracked, restored=restored, lost=lost,
                   failures=int(value('failures', r'\d+')[0]),
                   transition=value('transition', _TRANSITION)[0],
                   virgl=tuple(value for key, _, value in pairs if key == 'virgl'),
                   contexts=lines.get('contexts', ''))

    def problems(self, known_lost=0):
        """What must not be so at the end of a test."""
        found = []
        if self.state != 'running':
            found.append(f'state: {self.state}')
        if self.lost != known_lost:
            found.append(f'{self.lost} objects are lost')
        if self.transition != 'none':
            found.append(f'a {self.transition} is still going on')
        return found
