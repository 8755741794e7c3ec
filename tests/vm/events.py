# SPDX-License-Identifier: GPL-2.0-only
"""The event log of a model of a GPU; tests/models/mi300x/events.h says what is in it."""

import dataclasses

# What must not be there in a healthy run
BAD = ('gpu-fault', 'poison-fetch', 'bad-packet', 'bad-mqd', 'queue-stuck',
       'interrupt-dropped', 'psp-order', 'xgmi-wrong', 'dma-while-off',
       'register-written-while-off', 'doorbell-while-off', 'vram-written-while-off',
       'vf-order', 'vf-misuse', 'register-without-access')
# Of these also a GPU that was given up is not to be guilty
MISUSE = tuple(name for name in BAD if name.endswith(('-while-off', '-without-access')))


@dataclasses.dataclass
class Event:
    number: int
    seconds: float
    name: str
    values: dict

    def __getattr__(self, key):
        try:
            return self.values[key.replace('_', '-')]
        except KeyError:
            raise AttributeError(key) from None

    def __str__(self):
        pairs = ' '.join(f'{key}={value}' for key, value in self.values.items())
        return f'{self.number} {self.name} {pairs}'.rstrip()


class Events(list):
    """What one model process saw, in order."""

    @classmethod
    def read(cls, path):
        return cls.parse(path.read_text(errors='replace') if path.exists() else '')

    @classmethod
    def parse(cls, text):
        """The last line counts only if it is whole: the model may be writing it."""
        events = cls()
        for line in text.split('\n')[:-1]:
            number, seconds, name, *pairs = line.split(' ')
            events.append(Event(int(number), float(seconds), name,
                                dict(pair.partition('=')[::2] for pair in pairs)))
        return events

    def named(self, name, **values):
        return Events(event for event in self if event.name == name and
                      all(event.values.get(key.replace('_', '-')) == value
                          for key, value in values.items()))

    def after(self, number):
        return Events(event for event in self if event.number > number)

    def last_number(self):
        return self[-1].number if self else 0

    def since_reset(self):
        """Of the device since power-on, or since it was last reset over its bus."""
        last = max((i for i, event in enumerate(self)
                    if event.name in ('power-on', 'reset')), default=0)
        return Events(self[last:])

    def bytes_copied(self):
        """By all engines, of a model that has ended"""
        return sum(int(event.bytes_copied) for event in self.named('engine-count')
                   if 'bytes-copied' in event.values)

    def first_accesses(self):
        """Of each hub the first one since the driver last brought the GPU up."""
        return list({event.hub: event for event in self.named('first-access')}.values())

    def hubs_armed_first(self):
        """(how many, of how many) hubs had their fault interrupt at that access."""
        first = self.first_accesses()
        return sum(event.armed == '1' for event in first), len(first)

    def late_hubs(self):
        """The others"""
        return [event.hub for event in self.first_accesses() if event.armed != '1']

    def mode(self):
        """The compute partition mode that the model is in."""
        for event in reversed(self):
            if event.name in ('partition-mode', 'reset', 'power-on'):
                return event.mode
        return None

    def compute_queue_modes(self):
        """In which modes compute queues were mapped since the GPU last came up."""
        first = self.first_accesses()
        start = min(event.number for event in first) if first else 0
        return {event.mode for event in self.after(start).named('queue-map')
                if event.kind in ('kiq', 'compute')}

    def complete(self):
        """Did the model end in good order?"""
        return bool(self) and self[-1].name == 'end'

    def problems(self, names=BAD, provoked=()):
        """@provoked: numbers of events that a scenario wanted"""
        return [str(event) for event in self
                if event.name in names and event.number not in provoked]
