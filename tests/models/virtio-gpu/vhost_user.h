/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device of a guest, as a vhost-user back end: QEMU does the PCI part, we read
 * the rings. One connection, split rings, one thread; QEMU's guest must have its
 * memory in a file.
 *
 * Not done: packed rings, event indices, dirty logs, in-flight buffers over a
 * reconnect, IOMMU, inbound messages to QEMU, memory that is plugged in later.
 */
#ifndef VHOST_USER_H
#define VHOST_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define VU_QUEUES	2
#define VU_MAX_PIECES	512

/* What the guest put into a queue as one buffer */
struct vu_request {
	unsigned int queue;
	uint16_t head;
	struct iovec out[VU_MAX_PIECES];	/* from the guest */
	unsigned int num_out;
	struct iovec in[VU_MAX_PIECES];		/* for the guest */
	unsigned int num_in;
};

struct vu_device {
	uint64_t features;		/* of the device, without the transport's */
	void *config;
	size_t config_size;
	/* a request to be answered now or later by vu_answer() */
	void (*request)(struct vu_request *request);
	/* the driver resets the device: nothing is answered any more */
	void (*reset)(void);
	/* the driver is ready */
	void (*start)(void);
};

/* The guest's memory at an address, or NULL if not all of it is memory */
void *vu_memory(uint64_t addr, size_t size);
void vu_answer(unsigned int queue, uint16_t head, uint32_t size);
size_t vu_gather(const struct iovec *pieces, unsigned int num, size_t offset,
		 void *data, size_t size);
size_t vu_scatter(const struct iovec *pieces, unsigned int num,
		  const void *data, size_t size);

/* vu_serve() takes one message of QEMU, and returns false when QEMU is gone */
int vu_listen(const char *path);
int vu_accept(int listener);
bool vu_serve(int connection);
int vu_kick_fd(unsigned int queue);
void vu_kicked(unsigned int queue);
void vu_init(const struct vu_device *device);

#endif
