# SPDX-License-Identifier: GPL-2.0-only
"""
A sample of make fail-nth: one thing goes wrong in an S3, and becomes what it must.

A host that does not answer, and no memory in the suspend, refuse the sleep. No memory
for the queues, or a host that refuses to show the picture, makes it come late. A buffer
that the host does not create again, after it has created others, is lost, and named.
no_console_suspend: not used.
"""

from nth_stage import AGAIN, MACHINES, OBJECT, REFUSED, OwnHost

_, SETUP = MACHINES['virtio']
# what is the n-th follows from the driver's order
SAMPLE = (('slab', 1, REFUSED), ('never', 1, REFUSED), ('slab', 49, AGAIN),
          ('error', 8, AGAIN), ('error', 6, OBJECT))


def story(vm):
    stage = OwnHost(vm)
    stage.start()
    for kind, n, outcome in SAMPLE:
        tried = stage.attempt('s3', kind, n)
        vm.expect(tried.happened, f'there is no {kind} {n}')
        vm.expect(tried.outcome == outcome,
                  f'{kind} {n} ({tried.what}): {tried.outcome}; not: {outcome}')
